"""The settings read again while the service runs: wikis come, go and change; the rest is told."""

from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.cli.logs import set_up_logs
from revision_quality.cli.wikis import Wikis
from revision_quality.errors import RevisionQualityError
from revision_quality.settings import Settings, Wiki, check_settings

_LIVE = frozenset({"wikis", "wikis_folder", "wikis_table", "logs"})

_log = structlog.get_logger()


class Difference(Struct, frozen=True):
    """Wikis by api, and the keys that only a restart brings into force."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


def difference(old: Settings, new: Settings) -> Difference:
    """Tell what is different."""
    before, after = _by_api(old.wikis), _by_api(new.wikis)
    kept = [api for api in after if api in before]
    restart = [
        key
        for key in Settings.__struct_fields__
        if key not in _LIVE and getattr(old, key) != getattr(new, key)
    ]
    restart += [
        f"{key} of {api}"
        for api in kept
        for key in ("ores_tables", "mediawiki_tables")
        if getattr(before[api], key) != getattr(after[api], key)
    ]
    return Difference(
        added=tuple(api for api in after if api not in before),
        removed=tuple(api for api in before if api not in after),
        changed=tuple(api for api in kept if before[api] != after[api]),
        restart=tuple(restart),
    )


class Reloading:
    """Reads the settings again when asked; those that cannot be meant leave all as it was."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], wikis: Wikis) -> None:
        self._settings = settings
        self._read = read
        self._wikis = wikis

    def reload(self) -> Difference | None:
        """Bring into force what can be while the service runs, and log what that was."""
        try:
            new = self._read()
            check_settings(new)
            found = difference(self._settings, new)
            self._wikis.change(new.wikis)
        except RevisionQualityError as error:
            _log.error("the settings are not reloaded, the old ones hold", error=str(error))
            return None
        set_up_logs(new.logs)
        _log.info(
            "the settings are reloaded",
            added=list(found.added),
            removed=list(found.removed),
            changed=list(found.changed),
        )
        if found.restart:
            _log.warning("these settings need a restart", keys=list(found.restart))
        # What needs a restart is told again at the next time.
        self._settings = replace(self._settings, wikis=new.wikis, logs=new.logs)
        return found


def _by_api(wikis: Sequence[Wiki]) -> dict[str, Wiki]:
    return {wiki.api: wiki for wiki in wikis}
