"""The wiki that a client means by `lang`, as Lift Wing and the ORES extension use it."""

from collections.abc import Collection

from revision_quality.sites import wiki_id_of


class WikiNames:
    """The configured wikis, found by what clients call them; `wiki_ids` may grow meanwhile.

    The ORES extension cuts `lang` from the database name (LiftWingService.php: all before the
    first "wiki", nothing where there is no "wiki"), so `my_wiki` is called `my_`, `mediawiki`
    `media` and `intranet` nothing at all.
    """

    def __init__(self, wiki_ids: Collection[str]) -> None:
        self._wiki_ids = wiki_ids

    @property
    def wiki_ids(self) -> tuple[str, ...]:
        """The wikis that are configured now, each once."""
        return tuple(dict.fromkeys(self._wiki_ids))

    def __contains__(self, wiki_id: object) -> bool:
        return wiki_id in self._wiki_ids

    def called(self, lang: str) -> tuple[str, ...]:
        """Return the wikis that `lang` may mean, configured or not.

        More than one only where the extension calls several configured wikis the same. None
        where it names no configured wiki and no open Wikipedia.
        """
        if f"{lang}wiki" in self._wiki_ids:
            return (f"{lang}wiki",)
        found = (wiki_id for wiki_id in self.wiki_ids if _cut(wiki_id) == lang)
        if named := tuple(found):
            return named
        wiki_id = wiki_id_of(lang)
        return (wiki_id,) if wiki_id else ()


def _cut(wiki_id: str) -> str:
    head, found, _ = wiki_id.partition("wiki")
    return head if found else ""
