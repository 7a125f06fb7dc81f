"""Draw the demo's sample out of a folder of labelled edits.

    python scripts/make_sample.py DATA_FOLDER

DATA_FOLDER holds one `<wiki_id>.jsonl.xz` a wiki, one edit a line, as `revq train` reads them. The
same folder gives the same sample, byte for byte.
"""

import argparse
import hashlib
import itertools
import json
import lzma
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from revision_quality.sites import Site, site_of

Row = dict[str, Any]

SAMPLE = Path(__file__).parents[1] / "src/revision_quality/demo/sample.jsonl.xz"
EDITS = 3_000
MAX_TEXT_BYTES = 60_000
# The year in which most wikis of the data are active at once.
WINDOW = ("2008-07-01", "2009-07-01")
MIN_EDITS_OF_A_WIKI = 40
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SHA1_DIGITS = 31
_REDIRECT = re.compile(r"\s*#\s*\w+\s*:?\s*\[\[")


def main() -> None:
    """Read the folder, draw, and write the sample into the package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_folder", type=Path)
    rows = draw(candidates(parser.parse_args().data_folder), EDITS)
    with lzma.open(SAMPLE, "wb", preset=9 | lzma.PRESET_EXTREME) as out:
        for entry in entries(rows):
            out.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
            out.write(b"\n")
    positives = sum(row["label"] for row in rows)
    wikis = len({row["wiki_id"] for row in rows})
    print(
        f"{SAMPLE.name}: {len(rows)} edits of {wikis} wikis, {positives} reverted later, "
        f"{SAMPLE.stat().st_size:,} bytes"
    )


def candidates(folder: Path) -> dict[str, list[Row]]:
    """Return the usable edits of each open Wikipedia in the folder.

    Usable: within the window, with a revision id, texts not over the limit.
    """
    usable = {}
    for path in sorted(folder.glob("*.jsonl.xz")):
        wiki_id = path.name.removesuffix(".jsonl.xz")
        if site_of(wiki_id) is None:
            continue
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            rows = [row for row in map(json.loads, lines) if _is_usable(row)]
        if len(rows) >= MIN_EDITS_OF_A_WIKI:
            usable[wiki_id] = rows
    return usable


def _is_usable(row: Row) -> bool:
    return (
        row["rev_id"] is not None
        and WINDOW[0] <= row["timestamp"] < WINDOW[1]
        and max(len(row[text].encode()) for text in ("text", "parent_text")) <= MAX_TEXT_BYTES
    )


def draw(rows_of: dict[str, list[Row]], total: int) -> list[Row]:
    """Draw `total` edits, as evenly over the wikis as they allow, in time order.

    Within a wiki both classes come at their natural proportion.
    """
    most = {wiki_id: _most_at_natural_rate(rows) for wiki_id, rows in rows_of.items()}
    chosen: list[Row] = []
    for wiki_id, count in share_out(total, most).items():
        chosen += _draw_at_natural_rate(rows_of[wiki_id], count, random.Random(wiki_id))
    return sorted(chosen, key=lambda row: (row["timestamp"], row["wiki_id"], row["rev_id"]))


def share_out(total: int, most: dict[str, int]) -> dict[str, int]:
    """Give each key an equal part of `total`, but no more than it can take."""
    shares: dict[str, int] = {}
    left = total
    for key in sorted(most, key=lambda key: (most[key], key)):
        shares[key] = min(most[key], left // (len(most) - len(shares)))
        left -= shares[key]
    return shares


def _natural_rate(rows: list[Row]) -> float:
    weight = sum(row["sample_weight"] for row in rows)
    return sum(row["sample_weight"] for row in rows if row["label"]) / weight


def _most_at_natural_rate(rows: list[Row]) -> int:
    negatives = sum(not row["label"] for row in rows)
    return int(negatives / (1 - _natural_rate(rows)))


def _draw_at_natural_rate(rows: list[Row], count: int, rng: random.Random) -> list[Row]:
    positives = [row for row in rows if row["label"]]
    negatives = [row for row in rows if not row["label"]]
    reverted = min(round(count * _natural_rate(rows)), len(positives))
    return rng.sample(positives, reverted) + rng.sample(negatives, count - reverted)


def entries(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield each row as the sample holds it; page and user ids are numbered as they come."""
    page_ids: dict[str, Any] = defaultdict(lambda: defaultdict(itertools.count(1).__next__))
    user_ids: dict[str, Any] = defaultdict(lambda: defaultdict(itertools.count(1).__next__))
    for row in rows:
        wiki_id = row["wiki_id"]
        page_id = page_ids[wiki_id][row["page_title"]]
        user_id = None if row["user_is_anon"] else user_ids[wiki_id][row["user"]]
        yield {
            "event": page_change(row, page_id, user_id),
            "parent_text": row["parent_text"],
            "text": row["text"],
            "label": row["label"],
        }


def page_change(row: Row, page_id: int, user_id: int | None) -> Row:
    """Return the edit as an event of the schema mediawiki/page/change 1.2.0.

    `user_id` is None for an anonymous editor.
    """
    site = _site(row["wiki_id"])
    user = editor(row, user_id)
    return {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {
            "stream": "mediawiki.page_change.v1",
            "uri": site.page_url(row["page_title"]),
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{row['wiki_id']}:{row['rev_id']}")),
            "domain": site.server.removeprefix("https://"),
            "dt": row["timestamp"],
        },
        "changelog_kind": "update",
        "page_change_kind": "edit",
        "dt": row["timestamp"],
        "wiki_id": row["wiki_id"],
        "page": {
            "page_id": page_id,
            "page_title": row["page_title"].replace(" ", "_"),
            "namespace_id": row["namespace"],
            "is_redirect": _REDIRECT.match(row["text"]) is not None,
        },
        "performer": user,
        "revision": {
            **revision(row["rev_id"], row["timestamp"], row["text"], user),
            "rev_parent_id": row["parent_id"],
            "comment": row["comment"],
        },
        "prior_state": {
            "revision": revision(
                row["parent_id"],
                row["parent_timestamp"],
                row["parent_text"],
                {"user_text": row["parent_user"]},
            )
        },
    }


def editor(row: Row, user_id: int | None) -> Row:
    """Return the editor of an edit as page_change's user entity."""
    user: Row = {
        "user_text": row["user"],
        "groups": ["*"],
        "is_bot": False,
        "is_system": False,
        "is_temp": False,
    }
    if user_id is not None:
        user |= {
            "user_id": user_id,
            "groups": ["*", "user"],
            "edit_count": row["user_prior_edits"],
            "registration_dt": row["user_first_seen"],
        }
    return user


def revision(rev_id: int, dt: str, text: str, user: Row) -> Row:
    """Return a revision as page_change's revision entity, without comment and parent."""
    sha1, size = sha1_base36(text), len(text.encode())
    return {
        "rev_id": rev_id,
        "rev_dt": dt,
        "is_minor_edit": False,
        "rev_sha1": sha1,
        "rev_size": size,
        "editor": user,
        "is_content_visible": True,
        "is_editor_visible": True,
        "is_comment_visible": True,
        "content_slots": {
            "main": {
                "slot_role": "main",
                "content_model": "wikitext",
                "content_sha1": sha1,
                "content_size": size,
                "content_format": "text/x-wiki",
                "origin_rev_id": rev_id,
            }
        },
    }


def sha1_base36(text: str) -> str:
    """Return the SHA-1 of a text as MediaWiki writes it: base 36, 31 digits."""
    number = int.from_bytes(hashlib.sha1(text.encode()).digest())
    digits = []
    for _ in range(_SHA1_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _site(wiki_id: str) -> Site:
    site = site_of(wiki_id)
    if site is None:
        raise KeyError(wiki_id)
    return site


if __name__ == "__main__":
    main()
