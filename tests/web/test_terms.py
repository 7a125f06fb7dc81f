"""The page's words are those of the wiki: each term beside MediaWiki's own, in every language."""

import json
import re
from collections.abc import Callable

import pytest

from revision_quality.web.interface import Interface, languages
from tests.servers.mediawiki import NEWER
from tests.test_extension_messages import LANGUAGES, PREFIX, messages

pytestmark = pytest.mark.mediawiki

TERMS = {
    "title": "recentchanges",
    "back-to-list": "recentchanges",
    "diff": "diff",
    "hist": "hist",
    "talk": "talkpagelinktext",
    "contribs": "contribslink",
    "tags": "tag-list-wrapper",
    "tag-filter": "tag-list-wrapper",
    "user-removed": "rev-deleted-user",
    "summary-removed": "rev-deleted-comment",
    "flag-N": "newpage",
    "users": "rcfilters-filtergroup-user-experience-level",
    "user-unregistered": "rcfilters-filter-user-experience-level-unregistered-label",
    "user-registered": "rcfilters-filter-user-experience-level-registered-label",
    "user-newcomer": "rcfilters-filter-user-experience-level-newcomer-label",
    "user-learner": "rcfilters-filter-user-experience-level-learner-label",
    "user-experienced": "rcfilters-filter-user-experience-level-experienced-label",
    "hidebots": "rcfilters-filter-bots-label",
    "hidehumans": "rcfilters-filter-humans-label",
    "hideminor": "rcfilters-filter-minor-label",
    "hidemajor": "rcfilters-filter-major-label",
    "hidenewpages": "rcfilters-filter-newpages-label",
    "hidepageedits": "rcfilters-filter-pageedits-label",
    "namespaces": "namespaces",
    "ns-0": "blanknamespace",
    "ns-all-contents": "rcfilters-allcontents-label",
    "ns-all-discussions": "rcfilters-alldiscussions-label",
    "exclude-selected": "rcfilters-exclude-button-off",
    "associated": "namespace_association",
    "highlights": "rcfilters-highlightbutton-title",
    "highlighted": "rcfilters-highlighted-filters-list",
    "show": "rcfilters-activefilters-show",
    "hide": "rcfilters-activefilters-hide",
    "enhanced": "rcfilters-group-results-by-page",
    "active-filters": "rcfilters-activefilters",
    "clear-all": "rcfilters-clear-all-filters",
    "live": "rcfilters-liveupdates-button",
    "saved": "rcfilters-quickfilters",
    "saved-name": "rcfilters-savedqueries-new-name-label",
    "rename": "rcfilters-savedqueries-rename",
    "remove": "rcfilters-savedqueries-remove",
    "make-default": "rcfilters-savedqueries-setdefault",
    "no-default": "rcfilters-savedqueries-unsetdefault",
    "cancel": "rollback-confirmation-no",
    "act-undo": "editundo",
    "act-rollback": "rollbacklink",
    "act-hist": "history_small",
    "log-out": "pt-userlogout",
}

HOLDS = {
    "log-in": "pt-login",
    "key-undo": "editundo",
    "hidereverted": "tag-mw-reverted",
    "hideunreverted": "tag-mw-reverted",
    "reverted": "tag-mw-reverted",
    "level-verylikelybad": "tag-mw-reverted",
}
"""Messages that the wiki's term is a part of, up to its ending."""

OWN = {
    ("fr", "cancel"): "the wiki's is its word for undoing an edit, which the other button does",
    ("he", "cancel"): "as in French",
    ("ru", "cancel"): "as in French",
    ("ru", "ns-all-contents"): "the wiki's says all namespaces",
    ("pt", "no-default"): "the wiki's says that the filter becomes the default",
    ("ar", "level-verylikelybad"): "a verb, of the same root",
    ("ja", "hidereverted"): "a verb, of the same word",
    ("ja", "hideunreverted"): "as in hidereverted",
    ("ja", "level-verylikelybad"): "as in hidereverted",
}
"""Where the wiki's term would mislead, or is another part of speech."""

_PLURAL = re.compile(r"\{\{PLURAL:[^|]*\|([^{}]*)\}\}")
_PUNCTUATION = " .:()\xa0\u202f\N{FULLWIDTH COLON}\uff08\uff09"
_LINK = re.compile(r"^\[\[[^|\]]*\|(.*?)\]\].*$")


def of_mediawiki(lang: str) -> dict[str, str]:
    file = NEWER / "languages/i18n" / f"{lang}.json"
    if not file.exists():
        make = f"unpack --suite trixie --code {NEWER}"
        pytest.skip(f"MediaWiki is missing: run 'python3 -m scripts.mediawiki {make}' as root")
    messages: dict[str, str] = json.loads(file.read_text("utf-8"))
    return messages


def bare(text: str) -> str:
    """Return a term without brackets, values and punctuation at its ends, in small letters."""
    text = _LINK.sub(r"\1", _PLURAL.sub(lambda found: found[1].rpartition("|")[2], text))
    text = re.sub(r"\$\d|\{\w+\}", "", text)
    return text.strip(_PUNCTUATION).casefold().replace("ё", "\N{CYRILLIC SMALL LETTER IE}")


def stem(term: str) -> str:
    """Return a term without what gender, number and case change in these languages."""
    return term[: max(3, len(term) - 2)]


def is_same(ours: str, theirs: str) -> bool:
    return bare(ours) == bare(theirs)


def is_in(ours: str, theirs: str) -> bool:
    return stem(bare(theirs)) in bare(ours)


@pytest.mark.parametrize("lang", sorted(languages()))
@pytest.mark.parametrize(("table", "agrees"), [(TERMS, is_same), (HOLDS, is_in)])
def test_a_term_is_the_wikis(
    lang: str, table: dict[str, str], agrees: Callable[[str, str], bool]
) -> None:
    wiki, page = of_mediawiki(lang), Interface(lang)

    differing = {
        key: (page.text(key), wiki[theirs])
        for key, theirs in table.items()
        if agrees(page.text(key), wiki[theirs]) == ((lang, key) in OWN)
    }

    assert differing == {}


@pytest.mark.parametrize("lang", sorted(languages()))
def test_a_namespace_is_called_as_in_the_wiki(lang: str) -> None:
    of_mediawiki(lang)
    source = (NEWER / f"languages/messages/Messages{lang.title()}.php").read_text("utf-8")
    names = re.search(r"\$namespaceNames = \[(.*?)\];", source, re.DOTALL)
    assert names
    told = dict(re.findall(r"NS_(\w+)\s*=> '([^']*)'", names[1]))
    numbers = ("TALK", "USER", "USER_TALK", "", "", "FILE", "FILE_TALK", "MEDIAWIKI",
               "MEDIAWIKI_TALK", "TEMPLATE", "TEMPLATE_TALK", "HELP", "HELP_TALK", "CATEGORY",
               "CATEGORY_TALK")  # fmt: skip
    page = Interface(lang)

    differing = {
        number: (page.text(f"ns-{number}"), told[name])
        for number, name in enumerate(numbers, start=1)
        if name and page.text(f"ns-{number}") != told[name].replace("_", " ")
    }

    assert differing == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_extension_calls_logged_actions_as_the_wiki_does(lang: str) -> None:
    term = of_mediawiki(lang)["rcfilters-filter-logactions-label"]
    told = messages(lang)

    for key in ("filters-conflicts-logactions-global", "filters-conflicts-logactions"):
        assert term in told[PREFIX + key], key


def test_what_is_our_own_is_the_exception() -> None:
    assert {key for _, key in OWN} <= TERMS.keys() | HOLDS.keys()
    assert len(OWN) < len(TERMS) * len(languages()) / 20
