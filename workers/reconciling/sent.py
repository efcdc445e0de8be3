"""What the connector writes, or would write, as copies: bodies of the mapping per account. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from shared.money import total_of
from workers.mapping.results import InvoiceWrite, PurchaseWrite
from workers.reconciling.copies import TAX, Copy, Document

_ZERO: Final = Decimal(0)


def of_purchase(write: PurchaseWrite, date: str) -> Copy:
    """Return the order that `write` asks for; Cin7 keeps no date of it, so that it has the one IFS gives it."""
    inclusive = write.header.tax_calculation == "Inclusive"
    nets = ((line.cin7_code, line.amount - line.tax if inclusive else line.amount) for line in write.trace)
    amounts = summed(nets)
    if tax := total_of(*(line.tax for line in write.trace)):
        amounts[TAX] = tax
    return Copy(
        document="order",
        company=write.company,
        currency=write.currency,
        date=date,
        amounts=amounts,
        rows=max(1, len(write.trace)),
        alive=not write.void,
        place=write.account,
        party=write.supplier_key,
    )


def of_invoice(write: InvoiceWrite) -> Copy:
    """Return the invoice or credit note that `write` asks for, signed as IFS signs it."""
    sign = -1 if write.credit else 1
    amounts = summed((entry.cin7_code, entry.net * sign) for entry in write.entries)
    if write.tax:
        amounts[TAX] = write.tax * sign
    return Copy(
        document=kind_of_bill(credit=write.credit),
        company=write.company,
        currency=write.currency,
        date=write.date[:10],
        amounts=amounts,
        rows=max(1, len(write.entries)),
        alive=not write.void,
        place=write.account,
        party=write.supplier_key,
        number=write.number,
        order=write.order_key,
    )


def kind_of_bill(*, credit: bool) -> Document:
    return "credit_note" if credit else "invoice"


def summed(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return the sum of what stands on each account."""
    found: dict[str, Decimal] = {}
    for account, amount in amounts:
        found[account] = total_of(found.get(account, _ZERO), amount)
    return found


def accounts_of_lines(write: PurchaseWrite) -> Mapping[str, str]:
    """Return the account of each line by the beginning of the trace that people see on it, which ends at a space."""
    return {f"{write.order_no}/{line.line}": line.cin7_code for line in write.trace}
