"""Which plural form a number takes in a language."""

from collections.abc import Callable, Mapping

from msgspec import Struct


class _Operands(Struct, frozen=True):
    """A number as it is shown: `n` its value, `i` its whole part, `v` how many decimals it has."""

    n: float
    i: int
    v: int


def _of_de_en_nl(of: _Operands) -> int:
    return 0 if of.i == 1 and of.v == 0 else 1


def _of_es(of: _Operands) -> int:
    return 0 if of.n == 1 else _millions(of)


def _of_fr_pt(of: _Operands) -> int:
    return 0 if of.i in (0, 1) else _millions(of)


def _millions(of: _Operands) -> int:
    return 1 if of.i != 0 and of.i % 1_000_000 == 0 and of.v == 0 else 2


def _of_he(of: _Operands) -> int:
    if (of.i == 1 and of.v == 0) or (of.i == 0 and of.v != 0):
        return 0
    return 1 if of.i == 2 and of.v == 0 else 2


def _of_ja(of: _Operands) -> int:
    return 0


def _of_ru(of: _Operands) -> int:
    if of.v != 0:
        return 3
    ones, is_teen = of.i % 10, 11 <= of.i % 100 <= 14
    if ones == 1 and not is_teen:
        return 0
    return 1 if 2 <= ones <= 4 and not is_teen else 2


def _of_ar(of: _Operands) -> int:
    if of.n in (0, 1, 2):
        return int(of.n)
    hundreds = of.n % 100
    if hundreds != int(hundreds):
        return 5
    return 3 if 3 <= hundreds <= 10 else 4 if hundreds >= 11 else 5


_RULES: Mapping[str, Callable[[_Operands], int]] = {
    "ar": _of_ar,
    "de": _of_de_en_nl,
    "en": _of_de_en_nl,
    "es": _of_es,
    "fr": _of_fr_pt,
    "he": _of_he,
    "ja": _of_ja,
    "nl": _of_de_en_nl,
    "pt": _of_fr_pt,
    "ru": _of_ru,
}
"""Cardinals of CLDR 46, common/supplemental/plurals.xml; a rule gives the category's place in the
order zero, one, two, few, many, other, those that the language lacks left out."""


def plural_form(lang: str, number: str, forms: tuple[str, ...]) -> str:
    """Return the form of a number, given as it is shown but with a decimal point: "5", "1.5".

    `forms` are in the order of the language's categories; of those left out at the end the last
    one given is taken, as MediaWiki does. Raises KeyError for a language without a rule.
    """
    whole, _, decimals = number.partition(".")
    place = _RULES[lang](_Operands(float(number), int(whole), len(decimals)))
    return forms[min(place, len(forms) - 1)]
