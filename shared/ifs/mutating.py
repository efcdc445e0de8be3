"""A change of one row of IFS that overwrites nobody: read by key, compare, write with that exact ETag, look again.

What is to be written is decided by a pure function; the order of events is written once, for every flow that writes to
IFS. See the design's protocol 6; source of the facts: docs/apis/ifs.md#etags.
"""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from shared.errors import Held
from shared.findings import Finding
from shared.ifs.errors import IfsConflict
from shared.ifs.pages import Stored

#: Times that a change is decided and sent before a person looks at it.
ROUNDS_MAX: Final = 5
#: Times that a change which IFS accepted may be missing afterwards. Once happens: two changes within one second may
#: share an ETag, so that somebody else's overwrites ours. Twice means that IFS does not keep it.
LOST_MAX: Final = 1


class Change(msgspec.Struct, frozen=True):
    """Write these properties."""

    values: Mapping[str, object]


class Unchanged(msgspec.Struct, frozen=True):
    """There is nothing to write: the row is as wanted, or must not be written any more."""


Decision = Change | Unchanged


class Row(msgspec.Struct, frozen=True):
    """What a change is about, for those who read why it failed: `key` as IFS's people write it."""

    name: str
    key: str
    company: str = ""


def different(wanted: Mapping[str, object], stored: Mapping[str, object]) -> dict[str, object]:
    """Return those of the wanted properties that the stored row has otherwise. Pure.

    An empty text is nothing to IFS's database; numbers may come as texts and with other places.
    """
    return {name: value for name, value in wanted.items() if not is_same(value, stored.get(name))}


def is_same(wanted: object, stored: object) -> bool:
    """Say whether IFS holds what is wanted, however it writes it. Pure."""
    if wanted is None or wanted == "":
        return stored is None or stored == ""
    if isinstance(wanted, bool) or isinstance(stored, bool):
        return wanted is stored
    if isinstance(wanted, int | Decimal):
        return _number(stored) == wanted
    return wanted == stored


def _number(value: object) -> Decimal | None:
    if not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


async def mutate(
    row: Row,
    *,
    read: Callable[[], Awaitable[Stored | None]],
    decide: Callable[[Stored | None], Decision],
    write: Callable[[Stored, Mapping[str, object]], Awaitable[Stored | None]],
) -> Stored | None:
    """Bring one row to what `decide` wants, and return it as it was seen last.

    `decide` sees every version before it is written over, so that it can refuse.

    Args:
        row: for reasons.
        read: GET by key; None where IFS has no such row.
        decide: pure. What it raises ends this, such as `Held` for a conflict that a person must settle.
        write: PATCH with the ETag of the version that was decided upon; the row as it is then, or None where the
            answer does not show it.

    Raises:
        Held: others keep changing it, IFS accepts the change and does not keep it, or shows no ETag to change it by.
        ConnectorError: as `read`, `decide` and `write` say, but for `IfsConflict`.
    """
    current = await read()
    lost = 0
    for _ in range(ROUNDS_MAX):
        decision = decide(current)
        if isinstance(decision, Unchanged):
            return current
        if current is None or current.etag in {"", "*"}:
            raise Held([_finding(row, decision.values, "IFS shows no ETag for it", _NO_ETAG)])
        if lost > LOST_MAX:
            raise Held([_finding(row, decision.values, "IFS accepts the change, and does not keep it", _NOT_KEPT)])
        try:
            written = await write(current, decision.values)
        except IfsConflict:
            pass
        else:
            if written is not None and not different(decision.values, written.values):
                return written
            lost += 1
        current = await read()
    decision = decide(current)
    if isinstance(decision, Unchanged):
        return current
    said = f"others changed it {ROUNDS_MAX} times between our look and our change"
    raise Held([_finding(row, decision.values, said, _CONTESTED)])


_NOT_KEPT: Final = "See that the property exists and may be changed by the service user, then replay."
_NO_ETAG: Final = "See that a read of it by key shows `@odata.etag`, then replay."
_CONTESTED: Final = "Find out in IFS what keeps changing it, then replay."


def _finding(row: Row, values: Mapping[str, object], why: str, remedy: str) -> Finding:
    return Finding(
        code="target.refused",
        field=", ".join(sorted(values)),
        value=row.key,
        message=f"{row.name} {row.key} cannot be changed: {why}.",
        remedy=remedy,
        company=row.company,
    )
