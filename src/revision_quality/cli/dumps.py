"""What verbs that read an XML dump share: whose dump it is, its bar, its editors."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from revision_quality.errors import DumpError
from revision_quality.sites import Site
from revision_quality.sources.dump import DumpEdit, count_users, dump_edits
from revision_quality.wiki.dump import SUFFIXES, is_dump_name, read_head, site_of_dump
from revision_quality.wiki.user_histories import UserHistories

WIKI_ID_HELP = "The wiki_id of a dump that does not name its wiki, or names it otherwise."
PARTIAL_HELP = (
    "The dump has some of the wiki's pages: the editors' edit counts are left unknown, not counted"
    " in it."
)


def is_dump(path: Path) -> bool:
    """Tell by the name whether a file is an XML dump."""
    return is_dump_name(path.name)


def check_dump(path: Path) -> None:
    """Raise DumpError for what is no file, or not named as a dump."""
    if not path.is_file():
        raise DumpError(f"{path}: there is no such file.")
    if not is_dump(path):
        raise DumpError(f"{path}: a dump's name ends in {', '.join(SUFFIXES)}.")


def dump_site(path: Path, wiki_id: str | None) -> Site:
    """Return the site that a dump is of. Raises DumpError where the dump does not tell."""
    head = read_head(path)
    if not (wiki_id or head.wiki_id):
        raise DumpError(
            f"{path}: the dump does not name its wiki (dbname); give the wiki_id (--wiki-id)."
        )
    return site_of_dump(head, wiki_id or head.wiki_id)


@contextmanager
def opened_dump(path: Path, site: Site, *, is_partial: bool) -> Iterator[Iterator[DumpEdit]]:
    """Give a dump's edits, with bars on a terminal; the editors are counted first.

    Raises DumpError, in the block too.
    """
    console = Console(stderr=True)
    size = path.stat().st_size
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console=console, disable=not console.is_terminal))
        users = None
        if not is_partial:
            users = stack.enter_context(UserHistories())
            count_users(path, site.wiki_id, users, tick=_bar(progress, "editors counted", size))
        yield dump_edits(path, site, users, tick=_bar(progress, "edits scored", size))


def _bar(progress: Progress, name: str, size: int) -> Callable[[int], None]:
    task = progress.add_task(name, total=size)
    return lambda done: progress.update(task, completed=done)
