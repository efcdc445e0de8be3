"""Texts of a source record made fit for a field of Cin7: trimmed, printable, of its length, never cut short. Pure."""

import unicodedata
from typing import Final

from shared.findings import Finding

#: Characters of an offending value that a finding shows.
_SHOWN_MAX: Final = 120
#: Control characters and lone surrogates: neither PostgreSQL nor Cin7 keeps them.
_UNPRINTABLE: Final = frozenset({"Cc", "Cs"})
_LINE_BREAKS: Final = frozenset("\n\r\t")


def printable(value: str, *, lines: bool = False) -> bool:
    """Tell whether `value` holds nothing but characters that both sides keep; with `lines`, breaks and tabs too."""
    if value.isprintable():
        return True
    return not any(
        unicodedata.category(char) in _UNPRINTABLE and not (lines and char in _LINE_BREAKS) for char in value
    )


def escaped(value: str) -> str:
    """Return `value` with what cannot be printed spelled out as an escape."""
    if printable(value):
        return value
    return "".join(
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _UNPRINTABLE else char
        for char in value
    )


def shown(value: str) -> str:
    """Return `value` as a finding may show and store it: escaped where unprintable, shortened where long."""
    value = escaped(value)
    return value if len(value) <= _SHOWN_MAX else value[: _SHOWN_MAX - 1] + "…"


def invalid(field: str, value: object, message: str, remedy: str, company: str = "") -> Finding:
    """Return the finding for something that only the source record can put right."""
    return Finding(
        code="source.invalid",
        field=shown(field),
        value=shown(str(value)),
        message=escaped(message),
        remedy=escaped(remedy),
        company=shown(company),
    )


def fit_text(
    value: str | None,
    field: str,
    findings: list[Finding],
    *,
    length_max: int,
    company: str = "",
    required: bool = False,
    lines: bool = False,
) -> str:
    """Return `value` trimmed; add a finding where it is missing, unprintable or too long.

    Args:
        value: None is an empty text.
        field: as IFS names it; also what the finding names.
        findings: where a reason is added.
        length_max: characters that the Cin7 field takes.
        company: named by the finding.
        required: an empty text is a finding.
        lines: line breaks and tabs may stay.
    """
    text = (value or "").strip()
    if not text:
        if required:
            findings.append(invalid(field, "", f"{field} is empty.", f"Fill in {field} in IFS.", company))
        return ""
    if not printable(text, lines=lines):
        message = f"{field} contains control characters: {shown(text)}."
        findings.append(invalid(field, text, message, f"Remove them from {field} in IFS.", company))
    elif len(text) > length_max:
        message = f"{field} has {len(text)} characters; Cin7 takes {length_max}."
        findings.append(invalid(field, text, message, f"Shorten {field} in IFS.", company))
    return text
