"""What `revq doctor` finds, and how it is told."""

from collections.abc import Sequence

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One thing that was looked at; `wrong` is the sentence that says what is wrong, or None."""

    what: str
    wrong: str | None = None


class Section(Struct, frozen=True):
    """The findings about one place, and lines for its operator to copy."""

    title: str
    findings: Sequence[Finding]
    advice: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.wrong is None for finding in self.findings)


def as_text(section: Section) -> str:
    """Return a section as the terminal shows it."""
    lines = [section.title, *map(_line, section.findings)]
    return "\n".join([*lines, "", section.advice, ""] if section.advice else [*lines, ""])


def _line(finding: Finding) -> str:
    if finding.wrong is None:
        return f"  ok     {finding.what}"
    return f"  WRONG  {finding.what}: {finding.wrong}"
