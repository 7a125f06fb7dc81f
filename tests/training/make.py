"""Labelled edits for tests: several wikis where shouting newcomers get reverted."""

import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.make import ARTICLE

WORDS = [
    "town",
    "river",
    "bridge",
    "church",
    "museum",
    "harbour",
    "street",
    "market",
    "old",
    "new",
    "small",
    "large",
]


def rows(wiki: str, edits: int = 120, seed: int = 0) -> Iterator[dict[str, Any]]:
    """One wiki's edits, oldest first; every fifth is damage, most of it by an address."""
    random = np.random.default_rng(seed)
    for number in range(edits):
        bad = number % 5 == 0
        anonymous = bool(random.random() < (0.8 if bad else 0.2))
        at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        sentence = " ".join(random.choice(WORDS, 8))
        added = sentence.upper() + "!!!" if bad else sentence + "."
        yield {
            "wiki_id": wiki,
            "rev_id": number + 2,
            "parent_id": number + 1,
            "page_title": "Willemstad",
            "namespace": 0,
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "parent_timestamp": f"{at - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
            "page_created": "2019-01-01T00:00:00Z",
            "parent_text": ARTICLE,
            "text": ARTICLE + added + "\n",
            "comment": "" if bad else "more",
            "user": f"user-{number % 7}",
            "parent_user": "user-1",
            "user_is_anon": anonymous,
            "user_prior_edits": 0 if bad else 50,
            "user_first_seen": f"{at - timedelta(days=0 if bad else 90):%Y-%m-%dT%H:%M:%SZ}",
            "label": int(bad),
            "sample_weight": 1.0 if bad else 10.0,
        }


def write(folder: Path, wikis: int = 4, edits: int = 120) -> Path:
    """Write one file a wiki and return the folder."""
    for number in range(wikis):
        lines = (json.dumps(row) for row in rows(f"w{number}wiki", edits, number))
        (folder / f"w{number}wiki.jsonl.xz").write_bytes(
            lzma.compress("\n".join(lines).encode(), preset=0)
        )
    return folder
