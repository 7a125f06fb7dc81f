"""A multistream dump is cut at its streams: every page in one piece, each piece a dump."""

import bz2
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revision_quality.bulk.multistream import cut_out, find_spans, index_of
from revision_quality.errors import BulkError
from revision_quality.wiki.dump import read_dump
from tests.bulk.make import histories, multistream
from tests.training.histories.make import dump


def revisions(path: Path) -> list[tuple[int | None, str | None]]:
    return [(one.rev_id, one.text) for history in read_dump(path, None) for one in history]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(pages=st.integers(1, 9), in_stream=st.integers(1, 4), at_least=st.integers(1, 2000))
def test_the_pieces_are_the_whole(tmp_path, pages, in_stream, at_least):
    path = multistream(dump(histories(pages, edits=2)), tmp_path, in_stream)
    index = index_of(path)
    assert index is not None
    spans = find_spans(index, path.stat().st_size, at_least)

    pieces = []
    for span in spans:
        with cut_out(path, span) as piece:
            pieces += revisions(piece)

    assert pieces == revisions(path)
    assert len(pieces) == 2 * pages
    assert all(span.end - span.begin >= at_least for span in spans[:-1])


@pytest.mark.parametrize(
    ("dump_name", "index_name"),
    [
        ("w-pages-articles-multistream.xml.bz2", "w-pages-articles-multistream-index.txt.bz2"),
        (
            "w-pages-articles-multistream1.xml-p1p41242.bz2",
            "w-pages-articles-multistream-index1.txt-p1p41242.bz2",
        ),
    ],
)
def test_the_index_is_known_by_wikimedias_names(dump_name, index_name, tmp_path):
    assert index_of(tmp_path / dump_name) is None
    (tmp_path / index_name).touch()
    assert index_of(tmp_path / dump_name) == tmp_path / index_name


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (b"", "is not the index of the dump beside it"),
        (b"0:1:A\n", "is not the index"),
        (b"9000:1:A\n", "is not the index"),
        (b"20:1:A\n10:2:B\n", "is not the index"),
        (b"hello\n", "is no index of a multistream dump"),
    ],
)
def test_what_is_no_index_of_the_dump_is_told(lines, sentence, tmp_path):
    index = tmp_path / "index.txt.bz2"
    index.write_bytes(bz2.compress(lines))

    with pytest.raises(BulkError, match=sentence):
        find_spans(index, 5000)


def test_an_index_that_breaks_off_is_told(tmp_path):
    index = tmp_path / "index.txt.bz2"
    index.write_bytes(bz2.compress(b"20:1:A\n")[:-8])

    with pytest.raises(BulkError, match="is no index of a multistream dump"):
        find_spans(index, 5000)
