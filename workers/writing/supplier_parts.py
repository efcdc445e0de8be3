"""What is to be done to the rows that make up an IFS supplier, and what the supplier is afterwards. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shared.ifs.records.suppliers import (
    Address,
    AddressType,
    CommMethod,
    InvoiceInfo,
    SupplierDocument,
    TaxInfo,
)

Cell = str | int | bool | None

#: The sets of a supplier in the order in which IFS wants them. Source: docs/apis/ifs.md#suppliers.
ORDER: Final = (
    "header",
    "addresses",
    "address_types",
    "comm_methods",
    "invoice_info",
    "tax_info",
    "payment_info",
    "purchase_info",
)
_SHAPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "addresses": Address,
    "address_types": AddressType,
    "comm_methods": CommMethod,
    "invoice_info": InvoiceInfo,
    "tax_info": TaxInfo,
}


class Part(msgspec.Struct, frozen=True):
    """One row: its set, and the fields that name it, as pairs of our names and values."""

    set: str
    key: tuple[tuple[str, Cell], ...]

    @property
    def name(self) -> str:
        """What people and steps call it, such as `addresses 1`; the supplier's own number is left out."""
        plain = {"supplier_id", "identity", "vendor_no", *(("address_id",) if self.set == "comm_methods" else ())}
        own = [str(value) for field, value in self.key if field not in plain]
        return " ".join([self.set, *own])


class Change(msgspec.Struct, frozen=True):
    """Give a row these values, where it still has those that were decided upon."""

    part: Part
    before: tuple[tuple[str, Cell], ...]
    after: tuple[tuple[str, Cell], ...]


class Insert(msgspec.Struct, frozen=True):
    """Make a row; its key may lack what IFS numbers itself."""

    part: Part
    values: tuple[tuple[str, Cell], ...]


Step = Change | Insert


def changed(part: Part, row: msgspec.Struct, after: Mapping[str, Cell]) -> list[Step]:
    """Return the step that gives `row` these values; none where it has them."""
    news = {field: value for field, value in after.items() if (getattr(row, field) or None) != (value or None)}
    if not news:
        return []
    before = tuple((field, getattr(row, field)) for field in news)
    return [Change(part, before, tuple(news.items()))]


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps as IFS wants them; what comes first within a set stays first."""
    return tuple(sorted(steps, key=lambda step: ORDER.index(step.part.set)))


def applied(document: SupplierDocument, steps: Sequence[Step]) -> SupplierDocument:
    """Return the supplier as it is once all steps are done."""
    for step in steps:
        document = _applied(document, step)
    return document


def _applied(document: SupplierDocument, step: Step) -> SupplierDocument:
    name = step.part.set
    if name == "header":
        values = dict(step.after if isinstance(step, Change) else step.values)
        return msgspec.structs.replace(document, header=msgspec.structs.replace(document.header, **values))
    if name not in _SHAPES:
        return document
    rows = getattr(document, name)
    if isinstance(step, Insert):
        made = _SHAPES[name](**dict(step.values))
        return msgspec.structs.replace(document, **{name: (*rows, made)})
    after = dict(step.after)
    return msgspec.structs.replace(
        document,
        **{name: tuple(msgspec.structs.replace(row, **after) if _is(row, step.part) else row for row in rows)},
    )


def _is(row: msgspec.Struct, part: Part) -> bool:
    return all(getattr(row, field, value) == value for field, value in part.key)


def row_of(document: SupplierDocument, step: Insert) -> msgspec.Struct | None:
    """Return the row that a step would make, if there is one: by its key, a communication method by what it says."""
    rows = getattr(document, step.part.set, ())
    if step.part.set == "comm_methods":
        values = [(field, value) for field, value in step.values if field != "address_id"]
        return next((row for row in rows if all(getattr(row, field) == value for field, value in values)), None)
    return next((row for row in rows if _is(row, step.part)), None)
