"""The wiki that a client means by `lang`, as Lift Wing and the ORES extension use it."""

from collections.abc import Iterable

from revision_quality.sites import wiki_id_of


class WikiNames:
    """The configured wikis, found by what clients call them.

    The ORES extension cuts `lang` from the database name (LiftWingService.php: all before the
    first "wiki", nothing where there is no "wiki"), so `my_wiki` is called `my_`, `mediawiki`
    `media` and `intranet` nothing at all.
    """

    def __init__(self, wiki_ids: Iterable[str]) -> None:
        self.wiki_ids = tuple(dict.fromkeys(wiki_ids))
        self._by_cut: dict[str, list[str]] = {}
        for wiki_id in self.wiki_ids:
            self._by_cut.setdefault(_cut(wiki_id), []).append(wiki_id)

    def __contains__(self, wiki_id: object) -> bool:
        return wiki_id in self.wiki_ids

    def called(self, lang: str) -> tuple[str, ...]:
        """Return the wikis that `lang` may mean, configured or not.

        More than one only where the extension calls several configured wikis the same. None
        where it names no configured wiki and no open Wikipedia.
        """
        if f"{lang}wiki" in self.wiki_ids:
            return (f"{lang}wiki",)
        if found := self._by_cut.get(lang):
            return tuple(found)
        wiki_id = wiki_id_of(lang)
        return (wiki_id,) if wiki_id else ()


def _cut(wiki_id: str) -> str:
    head, found, _ = wiki_id.partition("wiki")
    return head if found else ""
