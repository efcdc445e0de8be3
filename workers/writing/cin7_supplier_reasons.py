"""Why a Cin7 supplier is not brought to IFS: the findings, with what to repair. Pure."""

from collections.abc import Sequence

from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.mapping.texts import escaped, shown
from workers.writing.matching import LISTED_MAX, Match


def gone_from_ifs(key: str, write: Cin7SupplierWrite) -> Finding:
    return Finding(
        code="source.invalid",
        field="SupplierId",
        value=key,
        company=write.company,
        message=f"Supplier {key} is not in IFS any more, or not for the connector's user, but linked to "
        f"{shown(write.supplier.name)} in Cin7 account {write.account}.",
        remedy=f"Check supplier {key} in IFS; or unlink it, where it was removed.",
    )


def loop(key: str, company: str, count: int, window_s: float) -> Finding:
    return Finding(
        code="supplier.conflict",
        field="loop",
        value=key,
        company=company,
        message=f"Supplier {key} was written {count} times within {window_s / 60:g} minutes, and is to be written "
        "again: something seems to write against the connector.",
        remedy="Find in `connector ledger show` which field goes to and fro, stop what else changes it, then replay.",
    )


def contested(key: str, company: str, rounds: int) -> Finding:
    return Finding(
        code="target.refused",
        field="",
        value=key,
        company=company,
        message=f"Supplier {key} was changed in IFS {rounds} times between our look and our change.",
        remedy="Find out in IFS what keeps changing it, then replay.",
    )


def unknown(write: Cin7SupplierWrite, why: str = "") -> Finding:
    """Return the reason to hold a supplier that IFS does not know; `why` says what keeps it from being created."""
    supplier = write.supplier
    message = f"{shown(supplier.name)} in Cin7 account {write.account} is no supplier of IFS that we know of."
    return Finding(
        code="supplier.unknown",
        field="ID",
        value=supplier.id or "",
        company=write.company,
        message=f"{message} {why}".strip(),
        remedy=f"Link it with `connector suppliers link IFS_KEY {supplier.id}`, or create it in IFS with "
        "`connector holds resolve ID --take cin7`, or dismiss it.",
    )


def belongs_to_another(write: Cin7SupplierWrite, number: str, cin7_id: str) -> Finding:
    """Return the reason to hold a supplier that shows the number of one that is linked elsewhere."""
    return Finding(
        code="supplier.possible-duplicate",
        field="AdditionalAttribute",
        value=number,
        company=write.company,
        message=f"{shown(write.supplier.name)} ({write.supplier.id}) shows number {number}, whose supplier is "
        f"{cin7_id} in Cin7 account {write.account}.",
        remedy="Clear the attribute on, or deprecate, the one that is wrong in Cin7, then replay.",
    )


def resembles_ifs(write: Cin7SupplierWrite, match: Match) -> Finding:
    """Return the reason to hold a new supplier that IFS seems to have already."""
    listed = "; ".join(
        f"{one.supplier_id} {shown(one.name)} ({', '.join(one.evidence)})" for one in match.candidates[:LISTED_MAX]
    )
    return Finding(
        code="supplier.possible-duplicate",
        field="Name",
        value=write.supplier.id or "",
        company=write.company,
        message=escaped(f"{shown(write.supplier.name)} is new in Cin7, but IFS has suppliers like it: {listed}."),
        remedy=f"Link it with `connector suppliers link IFS_KEY {write.supplier.id}`, or create it all the same with "
        "`connector holds resolve ID --take cin7`.",
    )


def as_candidate(key: str, name: str, tax_numbers: Sequence[str]) -> Supplier:
    """Return a supplier of IFS as something that a new one of Cin7 may be."""
    return Supplier(
        id=key,
        name=name,
        currency="",
        payment_term="",
        account_payable="",
        tax_rule="",
        tax_number=next(filter(None, tax_numbers), ""),
    )
