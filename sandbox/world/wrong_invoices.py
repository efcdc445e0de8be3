"""Supplier invoices that are wrong on purpose, and those that have to wait."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sandbox.world.books_ground import LOCK_DATE
from sandbox.world.expected import Expected, held
from sandbox.world.ground import (
    BY_CODE,
    INACTIVE_ACCOUNT,
    MISSING_ACCOUNT,
    UNMAPPED_COMPANY,
    UNMAPPED_TAX,
    Company,
)
from sandbox.world.invoicing import Clerk, Invoice, Share, shares_of
from sandbox.world.ordering import Order, company_of
from sandbox.world.people import Supplier

#: A currency in which no supplier of the world is paid.
_OTHER_CURRENCY: Final = "CHF"
_NO_SUCH_ORDER: Final = "PO-GONE"


@dataclass(frozen=True, kw_only=True)
class WrongInvoice:
    invoice: Invoice
    expected: Expected


def wrong_invoices(
    clerk: Clerk,
    take: Callable[[str], Order],
    orders: Sequence[tuple[Order, Expected]],
    by_company: Mapping[str, Supplier],
    named: Mapping[str, Supplier],
) -> Iterator[WrongInvoice]:
    """Yield one invoice or two of every wrong kind.

    Args:
        take: gives an order of a company that is applied and that nothing else invoices.
        orders: all orders with what becomes of them.
        by_company: a supplier that is applied, for each mapped company.
        named: suppliers that are wrong on purpose, by id.
    """
    ten = BY_CODE["10"]

    def bill(company: Company, supplier: Supplier, share: Mapping[str, Any], **wishes: Any) -> Invoice:  # noqa: ANN401
        agreed, term = supplier.terms.get(company.code) or next(iter(supplier.terms.values()))
        currency = wishes.pop("currency", agreed)
        wishes.setdefault("day", clerk.after(LOCK_DATE))
        shares = clerk.bill(company, currency, **share)
        return clerk.invoice(company, supplier.supplier_id, (currency, term), shares, **wishes)

    good = by_company["10"]
    yield from _wrong_accounts(clerk, take, lambda **share: bill(ten, good, share))
    yield from _wrong_amounts(clerk, take)
    early = bill(ten, good, {}, day=date(2025, 3, 20))
    yield WrongInvoice(invoice=early, expected=held("period.locked", "", "Cin7 is locked up to the end of March"))
    other = held("currency.mismatch", _OTHER_CURRENCY, "the supplier is paid in another one")
    yield WrongInvoice(invoice=bill(ten, good, {}, currency=_OTHER_CURRENCY), expected=other)
    order = take("20")
    foreign = clerk.of_order(order, shares_of(order)[0], currency=_OTHER_CURRENCY)
    yield WrongInvoice(invoice=foreign, expected=other)
    unmapped = held("company.unmapped", UNMAPPED_COMPANY, "the company is not in the tables")
    fjord = bill(BY_CODE[UNMAPPED_COMPANY], named["BAD-CO"], {})
    yield WrongInvoice(invoice=fjord, expected=unmapped)
    taxed = bill(ten, good, {"tax_code": UNMAPPED_TAX})
    yield WrongInvoice(
        invoice=taxed, expected=held("tax.unmapped", UNMAPPED_TAX, "an item's tax code is not in the tables")
    )
    frozen = bill(ten, good, {}, state="Frozen")
    yield WrongInvoice(invoice=frozen, expected=held("source.invalid", "Frozen", "no setting knows the state"))
    yield from _waiting(clerk, take, orders)
    late = Expected(outcome="waiting", value="BAD-TERM", why="its supplier is held for its payment term")
    yield WrongInvoice(invoice=bill(ten, named["BAD-TERM"], {}), expected=late)


def _wrong_accounts(clerk: Clerk, take: Callable[[str], Order], bill: Callable[..., Invoice]) -> Iterator[WrongInvoice]:
    missing = held("account.missing", MISSING_ACCOUNT, "Cin7 lacks the account of a posting")
    order = take("10")
    first, *others = shares_of(order)[0]
    on_missing = clerk.of_order(order, [replace(first, account=MISSING_ACCOUNT), *others])
    yield WrongInvoice(invoice=on_missing, expected=missing)
    yield WrongInvoice(invoice=bill(account=MISSING_ACCOUNT, lines=3), expected=missing)
    archived = held("account.inactive", INACTIVE_ACCOUNT, "the account of a posting is archived in Cin7")
    yield WrongInvoice(invoice=bill(account=INACTIVE_ACCOUNT, lines=2), expected=archived)


def _wrong_amounts(clerk: Clerk, take: Callable[[str], Order]) -> Iterator[WrongInvoice]:
    order = take("10")
    invoice = clerk.of_order(order, shares_of(order)[0])
    invoice.header["NetCurrAmount"] += Decimal(10)
    yield WrongInvoice(
        invoice=invoice, expected=held("total.mismatch", "", "the items do not make the net amount of the header")
    )
    order = take("20")
    invoice = clerk.of_order(order, shares_of(order)[0])
    invoice.postings[-1]["CurrAmount"] -= Decimal(5)
    yield WrongInvoice(
        invoice=invoice, expected=held("total.mismatch", "", "the postings do not make the amount of their item")
    )


def _waiting(
    clerk: Clerk, take: Callable[[str], Order], orders: Sequence[tuple[Order, Expected]]
) -> Iterator[WrongInvoice]:
    """Yield invoices that are right themselves, but not their orders."""
    for code in (("held", "account.missing"), ("held", "total.mismatch"), ("waiting", "")):
        order, of_order = next(pair for pair in orders if (pair[1].outcome, pair[1].code) == code)
        state = "held" if code[0] == "held" else "waiting itself"
        late = Expected(outcome="waiting", value=order.order_no, why=f"its order is {state}: {of_order.why}")
        yield WrongInvoice(invoice=clerk.of_order(order, _on_known_accounts(order)), expected=late)
    # A small world may have none.
    for planned in [order for order, of_order in orders if of_order.value == "Planned"][:1]:
        why = "its order is not sent, since it is Planned"
        late = held("dependency.missing", planned.order_no, why)
        yield WrongInvoice(invoice=clerk.of_order(planned, shares_of(planned)[0]), expected=late)
    order = take("10")
    lost = clerk.of_order(order, shares_of(order)[0], PoRefNumber=_NO_SUCH_ORDER)
    yield WrongInvoice(invoice=lost, expected=held("dependency.missing", _NO_SUCH_ORDER, "IFS has no such order"))


def _on_known_accounts(order: Order) -> list[Share]:
    known = company_of(order.header).accounts[0].code
    return [replace(share, account=known) for share in shares_of(order)[0]]
