"""A wiki_id leads to a language, a domain and addresses, by a table."""

import pytest
from msgspec.structs import replace

from revision_quality.sites import Site, encode_title, site_of, wiki_id_of, wikipedias

HEBREW_WIKI = Site(
    wiki_id="my_wiki",
    name="My wiki",
    lang="he",
    dir="rtl",
    server="http://127.0.0.1:8480",
    article_path="/index.php?title=$1",
    script_path="",
    namespaces={-1: "מיוחד", 2: "משתמש", 3: "שיחת משתמש"},
)


@pytest.mark.parametrize(
    ("wiki_id", "code", "lang", "direction"),
    [
        ("enwiki", "en", "en", "ltr"),
        ("hewiki", "he", "he", "rtl"),
        ("arwiki", "ar", "ar", "rtl"),
        ("yiwiki", "yi", "yi", "rtl"),
        ("dvwiki", "dv", "dv", "rtl"),
        ("ckbwiki", "ckb", "ckb", "rtl"),
        ("nqowiki", "nqo", "nqo", "rtl"),
        ("skrwiki", "skr", "skr", "rtl"),
        ("kswiki", "ks", "ks", "rtl"),
        ("kuwiki", "ku", "ku", "ltr"),
        ("kkwiki", "kk", "kk", "ltr"),
        ("alswiki", "als", "gsw", "ltr"),
        ("bat_smgwiki", "bat-smg", "sgs", "ltr"),
        ("be_x_oldwiki", "be-tarask", "be-tarask", "ltr"),
        ("bhwiki", "bh", "bho", "ltr"),
        ("cbk_zamwiki", "cbk-zam", "cbk", "ltr"),
        ("emlwiki", "eml", "egl", "ltr"),
        ("fiu_vrowiki", "fiu-vro", "vro", "ltr"),
        ("map_bmswiki", "map-bms", "jv-x-bms", "ltr"),
        ("nds_nlwiki", "nds-nl", "nds-NL", "ltr"),
        ("nowiki", "no", "nb", "ltr"),
        ("nrmwiki", "nrm", "nrf", "ltr"),
        ("roa_rupwiki", "roa-rup", "rup", "ltr"),
        ("roa_tarawiki", "roa-tara", "nap-x-tara", "ltr"),
        ("simplewiki", "simple", "en", "ltr"),
        ("zh_classicalwiki", "zh-classical", "lzh", "ltr"),
        ("zh_min_nanwiki", "zh-min-nan", "nan", "ltr"),
        ("zh_yuewiki", "zh-yue", "yue", "ltr"),
    ],
)
def test_a_wikipedia_is_known_by_its_wiki_id(wiki_id, code, lang, direction):
    site = site_of(wiki_id)

    assert site is not None
    assert (site.wiki_id, site.code, site.lang, site.dir) == (wiki_id, code, lang, direction)
    assert site.server == f"https://{code}.wikipedia.org"
    assert site.api_url == f"https://{code}.wikipedia.org/w/api.php"


@pytest.mark.parametrize(
    ("lang", "wiki_id"),
    [
        ("en", "enwiki"),
        ("EN", "enwiki"),
        ("simple", "simplewiki"),
        ("en-simple", "simplewiki"),
        ("als", "alswiki"),
        ("gsw", "alswiki"),
        ("sgs", "bat_smgwiki"),
        ("bat-smg", "bat_smgwiki"),
        ("be", "bewiki"),
        ("be-tarask", "be_x_oldwiki"),
        ("be-x-old", "be_x_oldwiki"),
        ("be_x_old", "be_x_oldwiki"),
        ("bho", "bhwiki"),
        ("vro", "fiu_vrowiki"),
        ("no", "nowiki"),
        ("nb", "nowiki"),
        ("nn", "nnwiki"),
        ("rup", "roa_rupwiki"),
        ("lzh", "zh_classicalwiki"),
        ("nan", "zh_min_nanwiki"),
        ("zh_min_nan", "zh_min_nanwiki"),
        ("yue", "zh_yuewiki"),
        ("zh", "zhwiki"),
    ],
)
def test_a_language_leads_to_its_wikipedia(lang, wiki_id):
    assert wiki_id_of(lang) == wiki_id


@pytest.mark.parametrize("unknown", ["", "wiki", "en-wiki", "xx", "tlh", "enwiktionary", "my_"])
def test_what_is_no_open_wikipedia_is_unknown(unknown):
    assert site_of(unknown) is None
    assert site_of(f"{unknown}wiki") is None
    assert wiki_id_of(unknown) is None


def test_every_wikipedia_answers_to_its_own_code_and_has_a_name():
    assert len(wikipedias()) > 300
    for wiki_id, site in wikipedias().items():
        assert wiki_id_of(site.code) == wiki_id == site.wiki_id
        assert wiki_id_of(site.lang) in {wiki_id, "enwiki"}
        assert site.name == site.name.strip() != ""
    assert len({site.name for site in wikipedias().values()}) == len(wikipedias())


@pytest.mark.parametrize(
    ("title", "encoded"),
    [
        ("Main Page", "Main_Page"),
        ("User talk:A/B", "User_talk:A/B"),
        ("C++ & D", "C%2B%2B_%26_D"),
        ("Who?", "Who%3F"),
        ("100%", "100%25"),
        ("It's", "It%27s"),
        ('"Q"', "%22Q%22"),
        ("a=b", "a%3Db"),
        ("~;@$!*(),", "~;@$!*(),"),
        ("-._", "-._"),
        ("Ħ", "%C4%A6"),
        ("עברית", "%D7%A2%D7%91%D7%A8%D7%99%D7%AA"),
        ("𐌲", "%F0%90%8C%B2"),
    ],
)
def test_titles_are_encoded_as_mediawiki_does(title, encoded):
    assert encode_title(title) == encoded


def test_addresses_of_a_wikipedia():
    site = site_of("alswiki")

    assert site is not None
    assert site.page_url("Bärn") == "https://als.wikipedia.org/wiki/B%C3%A4rn"
    assert site.diff_url(12, 11) == "https://als.wikipedia.org/w/index.php?diff=12&oldid=11"
    assert site.history_url("A&B c") == (
        "https://als.wikipedia.org/w/index.php?title=A%26B_c&action=history"
    )
    assert site.user_url("127.0.0.1") == "https://als.wikipedia.org/wiki/User:127.0.0.1"
    assert site.user_talk_url("A b") == "https://als.wikipedia.org/wiki/User_talk:A_b"
    assert site.contributions_url("A b") == (
        "https://als.wikipedia.org/wiki/Special:Contributions/A_b"
    )


def test_a_diff_needs_a_parent():
    site = replace(HEBREW_WIKI, script_path="/w")

    assert site.diff_url(12, 0) == "http://127.0.0.1:8480/w/index.php?oldid=12"
    assert site.diff_url(12, None) == "http://127.0.0.1:8480/w/index.php?diff=prev&oldid=12"


def test_another_wiki_has_its_own_paths_and_namespaces():
    assert HEBREW_WIKI.api_url == "http://127.0.0.1:8480/api.php"
    assert HEBREW_WIKI.page_url("A b") == "http://127.0.0.1:8480/index.php?title=A_b"
    assert HEBREW_WIKI.user_url("X").endswith("?title=%D7%9E%D7%A9%D7%AA%D7%9E%D7%A9:X")
    assert "_" in HEBREW_WIKI.user_talk_url("X")
    assert HEBREW_WIKI.contributions_url("X").endswith(":Contributions/X")
