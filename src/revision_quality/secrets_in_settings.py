"""Secrets that a settings file names and does not hold: `${NAME}` and `${file:/path}`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from revision_quality.errors import SettingsError

_NAMED = re.compile(r"\$\{(?:file:([^}]+)|([A-Za-z_][A-Za-z0-9_]*))\}")
_PLACES = frozenset({"url", "database", "options", "client_secret"})


def with_secrets(
    values: dict[str, Any], environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the values of a TOML file with the secrets put in that addresses and options name.

    In the middle of an address a secret is percent-encoded. Raises SettingsError naming the key of
    a secret that is not there.
    """
    found: dict[str, Any] = _within(values, "", False, environment)
    return found


def _within(value: Any, key: str, is_place: bool, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _within(
                item, f"{key}.{name}" if key else name, is_place or name in _PLACES, environment
            )
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            _within(item, f"{key}[{number}]", is_place, environment)
            for number, item in enumerate(value)
        ]
    if not is_place or not isinstance(value, str):
        return value
    encodes = "://" in value

    def secret(match: re.Match[str]) -> str:
        found = _secret(key, match[1], match[2], environment)
        return quote(found, safe="") if encodes else found

    return _NAMED.sub(secret, value)


def _secret(
    key: str, file: str | None, variable: str | None, environment: Mapping[str, str]
) -> str:
    if file is not None:
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{key}: the secret in {file} cannot be read ({error})") from error
    found = environment.get(variable or "")
    if not found:
        raise SettingsError(f"{key}: the environment variable {variable} is not set")
    return found
