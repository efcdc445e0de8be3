"""A list of Cin7 as the exact bytes of its rows, for what is kept as it came. Pure."""

from typing import Final

import msgspec

from shared.cin7 import answers, wire
from shared.cin7.errors import Cin7Unclear
from shared.http import Answer
from shared.rows import Row, read_row, tolerant_rows

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def exact_rows(answer: Answer, name: str) -> tuple[int, list[Row]]:
    """Return how many rows match in all, and those of the list `name`; one bad row takes no other along.

    Raises:
        Cin7Unclear: it is no such list.
        ConnectorError: as `wire.read` says.
    """
    try:
        total = answers.page(wire.read(answer), name).total
    except Cin7Unclear:
        found = tolerant_rows(answer.body, name) if 200 <= answer.status < 300 else None
        if found is None:
            raise
        rows, others = found
        total_said = others.get("Total")
        return (total_said if isinstance(total_said, int) else len(rows)), rows
    return total, [read_row(bytes(raw)) for raw in _ROWS.decode(_MEMBERS.decode(answer.body)[name])]
