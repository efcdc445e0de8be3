"""Why an invoice or credit note cannot be written to its purchase: each reason names both. Pure."""

from typing import Final

from shared.cin7.records.purchases import Purchase
from shared.findings import Finding
from workers.mapping.results import InvoiceWrite

_DIFFERENCES_SHOWN: Final = 5


def title(write: InvoiceWrite) -> str:
    return f"{'Credit note' if write.credit else 'Invoice'} {write.number}"


def paid(write: InvoiceWrite, current: Purchase, differences: tuple[str, ...]) -> Finding:
    shown = "; ".join(differences[:_DIFFERENCES_SHOWN])
    more = "; …" if len(differences) > _DIFFERENCES_SHOWN else ""
    why = f"{title(write)} is paid in Cin7 and differs in: {shown}{more}"
    return locked(write, current, why, "Correct it in Cin7 by hand, or take the payment back there and replay.")


def locked(write: InvoiceWrite, current: Purchase, why: str, remedy: str) -> Finding:
    return Finding(
        code="purchase.locked",
        field="InvoiceNo",
        value=write.number,
        message=f"{title(write)} ({write.key}) cannot be written to purchase {current.order_number}: {why}.",
        remedy=remedy,
        company=write.company,
    )


def no_purchase(write: InvoiceWrite) -> Finding:
    name = f"order {write.order_key}" if write.order_key else f"invoice {write.credited_key}"
    return Finding(
        code="dependency.missing",
        field="PoRefNumber" if write.order_key else "CreditedInvoiceId",
        value=write.order_key or write.credited_key,
        message=f"{title(write)} ({write.key}) belongs to {name}, which is not in Cin7.",
        remedy=f"See to it that {name} is written; this goes on by itself then.",
        company=write.company,
    )


def nothing_to_credit(write: InvoiceWrite, current: Purchase) -> Finding:
    return Finding(
        code="dependency.missing",
        field="CreditedInvoiceId",
        value=current.order_number,
        message=f"{title(write)} ({write.key}) takes an invoice back, but purchase {current.order_number} has none "
        "that is authorised.",
        remedy="See to it that the invoice is written, then replay.",
        company=write.company,
    )


def currency_mismatch(write: InvoiceWrite, currency: str) -> Finding:
    return Finding(
        code="currency.mismatch",
        field="Currency",
        value=write.currency,
        message=f"{title(write)} ({write.key}) is in {write.currency}, supplier {write.supplier_key} in Cin7 in "
        f"{currency}; a Cin7 invoice has the currency of its supplier.",
        remedy="Key it in Cin7 by hand and dismiss this entry, or keep a supplier in that currency.",
        company=write.company,
    )
