"""Values that a browser keeps for the server and can neither read nor change."""

import zlib
from base64 import urlsafe_b64encode
from typing import TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

T = TypeVar("T")


class Seal:
    """Encrypts and signs with a key made of a secret, for one purpose."""

    def __init__(self, secret: str, purpose: str) -> None:
        made = HKDF(SHA256(), 32, salt=None, info=f"revq {purpose}".encode())
        self._fernet = Fernet(urlsafe_b64encode(made.derive(secret.encode())))

    def close(self, value: object) -> str:
        """Return a value as a cookie's text; compressed, for a cookie holds 4096 bytes."""
        return self._fernet.encrypt(zlib.compress(msgspec.json.encode(value), 9)).decode()

    def open(self, text: str, kind: type[T], max_age: int) -> T | None:
        """Return what `close` was given at most `max_age` seconds ago, None of anything else."""
        try:
            value = self._fernet.decrypt(text.encode(errors="replace"), ttl=max_age)
            return msgspec.json.decode(zlib.decompress(value), type=kind)
        except (InvalidToken, zlib.error, msgspec.DecodeError):
            return None
