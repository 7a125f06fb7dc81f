"""An input's files are found, and told from one another by what is in them."""

import pytest

from revision_quality.bulk.files import find_files, identify
from revision_quality.errors import BulkError
from revision_quality.wiki.dump import is_dump_name


def put(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"x")


def test_a_folder_gives_its_dumps_by_name(tmp_path):
    put(tmp_path, "b.xml.bz2", "a.xml-p1p9.bz2", "a-index.txt.bz2", "notes.txt", ".c.xml", "_d.xml")

    assert [path.name for path in find_files(tmp_path)] == ["a.xml-p1p9.bz2", "b.xml.bz2"]


def test_a_pattern_gives_what_it_matches(tmp_path):
    put(tmp_path, "a1.parquet", "a2.parquet", "b.parquet")

    assert [path.name for path in find_files(tmp_path / "a*")] == ["a1.parquet", "a2.parquet"]


@pytest.mark.parametrize(
    ("names", "given", "sentence"),
    [
        ([], "", "there is no XML dump and no"),
        ([], "no.xml", "there is no such file or folder"),
        ([], "no*.xml", "there is no XML dump and no"),
        (["a.txt"], "a.txt", "is no XML dump and no"),
        (["a.xml", "b.parquet"], "", "has dumps and Parquet files"),
        (["a.xml.bz2", "a.xml.7z"], "", "a.xml: is there 2 times, packed in several ways"),
    ],
)
def test_what_cannot_be_an_input_is_told(names, given, sentence, tmp_path):
    put(tmp_path, *names)

    with pytest.raises(BulkError, match=sentence):
        find_files(tmp_path / given)


def test_a_file_is_the_same_wherever_it_lies(tmp_path):
    (tmp_path / "else").mkdir()
    put(tmp_path, "a.xml", "else/a.xml")

    assert identify(tmp_path / "a.xml") == identify(tmp_path / "else" / "a.xml")


@pytest.mark.parametrize("place", [0, 5_000_000])
def test_a_file_with_another_begin_or_end_is_another(place, tmp_path):
    path = tmp_path / "a.xml"
    data = bytearray(5_000_001)
    path.write_bytes(data)
    before = identify(path)
    data[place] = 1
    path.write_bytes(data)

    assert identify(path) != before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("enwiki-20260101-pages-meta-history1.xml-p1p844.bz2", True),
        ("enwiki-20260101-pages-meta-history1.xml-p1p844.7z", True),
        *((f"a{suffix}", True) for suffix in (".xml", ".xml.gz", ".xml.bz2", ".xml.xz", ".7z")),
        ("edits.jsonl", False),
        ("index1.txt-p1p844.bz2", False),
        ("a.bz2", False),
    ],
)
def test_a_dump_is_told_by_its_name(name, expected):
    assert is_dump_name(name) is expected
