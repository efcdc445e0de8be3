"""Two versions of a record as a list of fields that differ, for people to read. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from console.output import plain

#: What Cin7 gives and nobody decides.
_LEFT_OUT: Final = frozenset({"ID", "ProductID", "SupplierID", "LastModifiedOn"})
#: What names an entry of a list to people, the first that it has.
_NAMES: Final = ("Comment", "Reference", "Name", "Line1", "line")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs; an empty text is a field that is not there."""

    field: str
    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")


def changes(before: object, after: object) -> tuple[Change, ...]:
    """Return the fields in which `after` differs from `before`, in the order of `after`; None stands for nothing."""
    was, becomes = fields(before), fields(after)
    return tuple(
        Change(field=name, before=was.get(name, ""), after=becomes.get(name, ""))
        for name in {**becomes, **was}
        if was.get(name, "") != becomes.get(name, "")
    )


def fields(record: object) -> dict[str, str]:
    """Return a record's fields as texts; those inside others are named by their path."""
    return {} if record is None else dict(_walk("", msgspec.to_builtins(record)))


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _LEFT_OUT:
                yield from _walk(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for name, inner in _named(value):
            yield from _walk(f"{path}[{name}]", inner)
    else:
        yield path, "" if value is None else str(plain(value))


def _named(entries: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Name entries by what they are about, so that one more of them does not change all after it."""
    seen: dict[str, int] = {}
    for place, entry in enumerate(entries, 1):
        known = entry if isinstance(entry, Mapping) else {}
        name = next((str(known[field]) for field in _NAMES if known.get(field)), str(place))
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} {seen[name]}"), entry
