"""Two texts side by side, as rows of MediaWiki's diff table: for edits that no wiki is asked about.

Lines are compared with lines; two that differ a little, word by word.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape

_CONTEXT_LINES = 2
_ALIKE = 0.3
"""Lines that share less of their words are shown as one removed and one added."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_EMPTY = '<td colspan="2" class="diff-empty diff-side-{side}"></td>'


def diff_rows(before: str, after: str) -> str:
    """Return the rows of the diff table, HTML with the texts escaped; "" of equal texts."""
    old, new = before.splitlines(), after.splitlines()
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT_LINES)
    return "".join("".join(_group(old, new, group)) for group in groups)


def _group(
    old: Sequence[str], new: Sequence[str], group: Sequence[tuple[str, int, int, int, int]]
) -> Iterator[str]:
    _, first_old, _, first_new, _ = group[0]
    yield (
        f'<tr><td colspan="2" class="diff-lineno">{first_old + 1}</td>'
        f'<td colspan="2" class="diff-lineno">{first_new + 1}</td></tr>'
    )
    for kind, old_start, old_end, new_start, new_end in group:
        if kind == "equal":
            yield from map(_context, old[old_start:old_end])
        else:
            yield from _changed(old[old_start:old_end], new[new_start:new_end])


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    pairs = min(len(old), len(new))
    for one, other in zip(old[:pairs], new[:pairs], strict=True):
        yield from _pair(one, other)
    for line in old[pairs:]:
        yield _row(_side("deleted", escape(line)), _EMPTY.format(side="added"))
    for line in new[pairs:]:
        yield _row(_EMPTY.format(side="deleted"), _side("added", escape(line)))


def _pair(old: str, new: str) -> Iterator[str]:
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    if matcher.quick_ratio() < _ALIKE:
        yield _row(_side("deleted", escape(old)), _EMPTY.format(side="added"))
        yield _row(_EMPTY.format(side="deleted"), _side("added", escape(new)))
        return
    left, right = [], []
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        gone = escape("".join(old_words[old_start:old_end]))
        come = escape("".join(new_words[new_start:new_end]))
        is_equal = kind == "equal"
        left.append(gone if is_equal or not gone else f'<del class="diffchange">{gone}</del>')
        right.append(come if is_equal or not come else f'<ins class="diffchange">{come}</ins>')
    yield _row(_side("deleted", "".join(left)), _side("added", "".join(right)))


def _context(line: str) -> str:
    cell = '<td class="diff-marker"></td><td class="diff-context diff-side-{side}">{text}</td>'
    text = f"<div>{escape(line)}</div>" if line else "<br>"
    return _row(
        cell.format(side="deleted", text=text),
        cell.format(side="added", text=text),
    )


def _side(kind: str, html: str) -> str:
    mark = "\N{MINUS SIGN}" if kind == "deleted" else "+"
    return (
        f'<td class="diff-marker" data-marker="{mark}"></td>'
        f'<td class="diff-{kind}line diff-side-{kind}"><div>{html}</div></td>'
    )


def _row(left: str, right: str) -> str:
    return f"<tr>{left}{right}</tr>"
