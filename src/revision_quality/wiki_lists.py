"""Wikis listed outside of the settings file: a folder of TOML files, or a table."""

import csv
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from revision_quality.errors import SettingsError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


class ListedWiki(Struct, frozen=True):
    """The keys of a wiki and where they stand; a table's values are text (`is_typed` is False)."""

    place: str
    values: Mapping[str, Any]
    is_typed: bool = True


def read_wikis_folder(folder: Path) -> list[ListedWiki]:
    """Read every `*.toml` of a folder, in the order of their names; hidden files are left out.

    Raises SettingsError naming the file.
    """
    if not folder.is_dir():
        raise SettingsError(f"wikis_folder: {folder} is no folder: make it, or name another")
    files = sorted(file for file in folder.glob("*.toml") if not file.name.startswith("."))
    return [ListedWiki(str(file), _read_toml(file)) for file in files]


def read_wikis_table(file: Path) -> list[ListedWiki]:
    """Read a table whose first line names the keys; an empty cell is a key that is not given.

    Empty lines are left out. Raises SettingsError naming the file and the line.
    """
    delimiter = _DELIMITERS.get(file.suffix.lower())
    if delimiter is None:
        raise SettingsError(f"wikis_table: {file} is no table: name a file.csv or a file.tsv")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return _read_rows(file, csv.reader(lines, delimiter=delimiter, strict=True))
    except OSError as error:
        raise SettingsError(f"wikis_table: {file} cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"wikis_table: {file}: no table in UTF-8 ({error})") from error


def _read_rows(file: Path, rows: Any) -> list[ListedWiki]:
    keys = [key.strip() for key in next(rows, [])]
    if "api" not in keys:
        raise SettingsError(f"wikis_table: {file}, line 1: expected the names of keys, such as api")
    listed = []
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        place = f"{file}, line {rows.line_num}"
        if len(cells) > len(keys):
            raise SettingsError(f"{place}: has {len(cells)} cells, line 1 names {len(keys)}")
        values = {key: cell for key, cell in zip(keys, cells, strict=False) if cell}
        listed.append(ListedWiki(place, values, is_typed=False))
    return listed


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from error
