"""Why the writer holds an entry: the findings, with what to repair. Pure."""

from collections.abc import Sequence

from shared.cin7.errors import Cin7Refused
from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from shared.ifs.errors import IfsRefused


def refused_finding(refused: Cin7Refused | IfsRefused, company: str) -> Finding:
    if isinstance(refused, IfsRefused):
        text, who = refused.message or f"{refused.status} {refused.code}".strip(), "IFS"
    else:
        text, who = "; ".join(refused.messages) or f"status {refused.status}", "Cin7"
    return Finding(
        code="target.refused",
        field="",
        value=text[:300],
        company=company,
        message=f"{who} refuses: {text}",
        remedy=f"Repair what {who} names, in Cin7 or in IFS, then replay it.",
    )


def supplier_twice(marker: str, hits: Sequence[Supplier]) -> Finding:
    return Finding(
        code="supplier.possible-duplicate",
        field="AdditionalAttribute",
        value=marker,
        message=f"Cin7 holds supplier {marker} {len(hits)} times: {', '.join(hit.id or '' for hit in hits)}.",
        remedy="Clear the attribute on, or deprecate, all but one in Cin7, then replay.",
    )


def supplier_gone(key: str, cin7_id: str, company: str) -> Finding:
    return Finding(
        code="supplier.unknown",
        field="ID",
        value=cin7_id,
        company=company,
        message=f"Supplier {key} was linked to a Cin7 supplier that is not there any more.",
        remedy=f"Link it anew with `connector suppliers link {key} CIN7_ID`.",
    )


def supplier_unlinked(key: str, account: str, company: str) -> Finding:
    return Finding(
        code="supplier.possible-duplicate",
        field="ID",
        value=key,
        company=company,
        message=f"The connector created supplier {key} in Cin7 account {account}, and a person took the link away; "
        "it creates no second one.",
        remedy=f"Link it with `connector suppliers link {key} CIN7_ID`, to another supplier or to the same again.",
    )


def supplier_otherwise(key: str, left: Sequence[str], company: str) -> Finding:
    return Finding(
        code="target.refused",
        field=", ".join(left),
        value=key,
        company=company,
        message=f"Cin7 took supplier {key} but holds it otherwise: {', '.join(left)}.",
        remedy="Look at it in Cin7 (an attribute needs an attribute set that has it); correct it, then replay.",
    )
