"""A name of one wiki in one number, for an index to hold: names may be of any length."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=10_000)
def name_key(wiki_id: str, name: str) -> int:
    """Return a name's number, above 0 and below 2**63; two of a million hardly ever share one."""
    digest = blake2b(f"{wiki_id}\0{name}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
