"""The truth table that people read is the one that is carried out."""

from pathlib import Path
from typing import Final

import pytest

from workers.writing.merging import Value, bases, verdict

PAGE: Final = Path(__file__).parents[3] / "docs" / "mapping.md"
#: What a row's words about what happens mean.
WORDS: Final = {
    "nothing": "same",
    "to Cin7": "to_cin7",
    "to IFS": "to_ifs",
    "the setting": "both",
    "as where both": "both",
}
BLANK: Final = {"none yet": "", "empty": "", "none until a person decides": ""}


def rows() -> list[tuple[str, ...]]:
    """Return the rows of the table, cell by cell."""
    section = PAGE.read_text("utf-8").split("### When both sides change a supplier")[1].split("\n###")[0]
    table = section.split("| before | IFS now |")[1].split("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in table]


def value(cell: str) -> Value:
    return BLANK.get(cell, cell.removesuffix(" until a person decides"))


@pytest.mark.parametrize(("before", "ifs", "cin7", "happens", "after"), rows())
def test_a_field_goes_as_its_row_says(before: str, ifs: str, cin7: str, happens: str, after: str) -> None:
    base, ours, theirs = value(before), value(ifs), value(cin7)
    found = verdict(base, ours, theirs)
    assert found == next(meant for words, meant in WORDS.items() if happens.startswith(words))
    written = bases(found, base, ours, theirs, None)
    side = written.after_ifs if found == "to_ifs" else written.after_cin7
    assert side == value(after)


def test_the_table_has_every_row_that_there_can_be() -> None:
    def shape(before: Value, ifs: Value, cin7: Value) -> tuple[bool, bool, bool]:
        return before == ifs, before == cin7, ifs == cin7

    shown = {shape(value(row[0]), value(row[1]), value(row[2])) for row in rows()}
    possible = {shape(one, other, third) for one in "AB" for other in "AB" for third in "ABC"}
    assert shown == possible
