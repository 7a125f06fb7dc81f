"""The language of the page itself, apart from those of the wikis shown."""

from typing import Literal

from msgspec import Struct


class Interface(Struct, frozen=True):
    """`lang` is a BCP 47 code, `dir` the direction of the page's layout."""

    lang: str = "en"
    dir: Literal["ltr", "rtl"] = "ltr"
