"""No money comes or goes between IFS and Cin7: more than a hundred thousand made-up amounts, in 0, 2 and 3 places.

Seeded loops rather than Hypothesis: what is asked of each amount is cheap, and there are many of them. The rules they
hold to stand in docs/mapping.md#6-rounding.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random

import msgspec
import pytest

from shared import money
from shared.cin7.records.invoices import InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderLine
from shared.cin7.records.purchases import Order, Purchase
from shared.ifs.records.supplier_invoices import InvoiceDocument, InvoiceItem, InvoicePosting
from tests.unit.mapping.test_supplier_invoices import BOLTS, HEADER, negative, posting, written
from workers.mapping.invoice_amounts import pieces
from workers.mapping.results import InvoiceWrite
from workers.writing.invoice_lines import credit_note_of, invoice_of

#: Currencies of 0, 2 and 3 places.
CURRENCIES = ("JPY", "EUR", "KWD")
#: Cases of each kind for each currency: 3 x (12,000 + 12,000 + 10,000 + 2 x 5,000) and more are above 130,000.
SHARED, PRICED, TAXED, INVOICED = 12_000, 12_000, 10_000, 5_000
RATES = {"V20": Decimal(20), "V5": Decimal("5.5")}


def drawn(rng: Random, currency: str, most: int = 10**9) -> Decimal:
    """Return an amount in whole units of the currency: small ones as often as large ones, and either sign."""
    size = rng.randrange(1, 10 ** rng.randrange(1, len(str(most))))
    return Decimal(rng.choice((-1, 1)) * size).scaleb(-money.minor_units(currency))


def is_whole(amount: Decimal, currency: str) -> bool:
    return money.fits(amount, money.minor_units(currency))


@pytest.mark.parametrize("currency", CURRENCIES)
def test_what_is_shared_out_is_shared_out_to_the_last_unit(currency: str) -> None:
    rng = Random(f"shares {currency}")  # noqa: S311 - made-up amounts, as all below
    unit = Decimal(1).scaleb(-money.minor_units(currency))
    for _ in range(SHARED):
        amount = drawn(rng, currency)
        weights = [abs(drawn(rng, currency)) for _ in range(rng.randrange(1, 7))]
        parts = money.shares(amount, weights, currency)
        assert sum(parts) == amount
        whole = sum(weights)
        for part, weight in zip(parts, weights, strict=True):
            assert is_whole(part, currency)
            assert abs(part - amount * weight / whole) <= unit, "no part is a unit from its due"


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_quantity_at_a_price_and_what_is_left_of_it_make_the_amount(currency: str) -> None:
    rng = Random(f"pieces {currency}")  # noqa: S311
    for place in range(PRICED):
        amount = drawn(rng, currency)
        quantity = Decimal(rng.randrange(1, 5000)) if place % 2 else Decimal(rng.randrange(10_000, 10**8)).scaleb(-4)
        keeps = bool(place % 3)
        made = pieces(amount, quantity, currency, keep_quantity=keeps)
        assert made.total + made.rest == amount
        assert made.total == money.line_total(made.quantity, made.price, Decimal(0), currency), "Cin7 reckons it so"
        assert is_whole(made.total, currency)
        assert money.fits(made.price, money.PRICE_PLACES) or made.quantity == 1
        assert keeps or not made.rest, "where the quantity may go, nothing is left"


@pytest.mark.parametrize("currency", CURRENCIES)
def test_net_and_tax_are_the_gross_whichever_of_them_is_known(currency: str) -> None:
    rng = Random(f"taxes {currency}")  # noqa: S311
    half = Fraction(1, 2 * 10 ** money.minor_units(currency))
    for _ in range(TAXED):
        amount, percent = drawn(rng, currency), Decimal(rng.randrange(0, 30_000)).scaleb(-3)
        on, within = money.tax_on(amount, percent, currency), money.tax_within(amount, percent, currency)
        assert is_whole(on, currency)
        assert is_whole(within, currency)
        exact_on = Fraction(amount) * Fraction(percent) / 100
        exact_within = Fraction(amount) * Fraction(percent) / (100 + Fraction(percent))
        assert abs(Fraction(on) - exact_on) <= half
        assert abs(Fraction(within) - exact_within) <= half
        net = money.total_of(amount, -within)
        assert money.total_of(net, within) == amount


def invoices(rng: Random, currency: str) -> Iterator[InvoiceDocument]:
    """Yield invoices as IFS posts them, until there are enough items: tax may be a unit off, postings several."""
    unit = Decimal(1).scaleb(-money.minor_units(currency))
    items = 0
    while items < INVOICED:
        made: list[InvoiceItem] = []
        rows: list[InvoicePosting] = []
        for number in range(1, rng.choice((1, 2, 5, 40)) + 1):
            parts = [abs(drawn(rng, currency, 10**7)) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
            net, code = sum(parts, Decimal(0)), rng.choice(sorted(RATES))
            off = rng.choice((-1, 0, 0, 1)) * unit if net > 100 * unit else Decimal(0)
            made.append(
                msgspec.structs.replace(
                    BOLTS,
                    item_id=number,
                    net_curr_amount=net,
                    vat_curr_amount=money.tax_on(net, RATES[code], currency) + off,
                    vat_code=code,
                    quantity=rng.choice(
                        (None, Decimal(rng.randrange(1, 900)), Decimal(rng.randrange(9, 99)).scaleb(-1))
                    ),
                    po_ref_line_no=str(number),
                )
            )
            rows += [
                posting(
                    len(rows) + place, rng.choice(("4010", "5000")), "0", item_id=number, curr_amount=part, code_b="C1"
                )
                for place, part in enumerate(parts, 1)
            ]
        header = msgspec.structs.replace(
            HEADER,
            currency=currency,
            po_ref_number=rng.choice((None, "1001")),
            net_curr_amount=sum((item.net_curr_amount for item in made), Decimal(0)),
            vat_curr_amount=sum((item.vat_curr_amount or Decimal(0) for item in made), Decimal(0)),
        )
        items += len(made)
        yield InvoiceDocument(header=header, items=tuple(made), postings=tuple(rows))


def purchase(write: InvoiceWrite, *, inclusive: bool) -> Purchase | None:
    """Return the purchase of the order, with a product line for every second item; None where there is no order."""
    if not write.order_key:
        return None
    numbers = sorted({entry.po_line for entry in write.entries})[::2]
    lines = tuple(
        OrderLine(
            product_id="p",
            sku="BOLT-8",
            name="Bolt",
            quantity=Decimal(1),
            price=Decimal(1),
            tax=Decimal(0),
            tax_rule="",
            comment=f"{write.order_key}/{number} 10 4010",
            total=Decimal(1),
        )
        for number in numbers
    )
    order = Order(status="AUTHORISED", lines=lines)
    return Purchase(
        id="p-1", order_number="PO-1", status="ORDERED", tax_calculation="Inclusive" if inclusive else "Exclusive",
        order=order,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["invoice", "credit note"])
@pytest.mark.parametrize("currency", CURRENCIES)
def test_lines_taxes_and_totals_of_a_bill_are_those_that_ifs_posted(currency: str, kind: str) -> None:
    rng = Random(f"{kind} {currency}")  # noqa: S311
    for document in invoices(rng, currency):
        sent, header = document, document.header
        if kind == "credit note":  # It goes onto the purchase of an order.
            sent = negative(document)
            sent = msgspec.structs.replace(sent, header=msgspec.structs.replace(sent.header, po_ref_number="1001"))
        write = written(sent)
        assert write.credit is (kind == "credit note")
        assert (write.net, write.tax) == (header.net_curr_amount, header.vat_curr_amount)
        assert write.total == write.net + write.tax
        assert sum(entry.net for entry in write.entries) == write.net
        assert sum(entry.tax for entry in write.entries) == write.tax
        inclusive = bool(write.order_key) and rng.random() < 0.3
        there = purchase(write, inclusive=inclusive)
        bill = credit_note_of(write, there, "NF-1") if write.credit and there else invoice_of(write, there)
        rows: list[InvoiceLine | InvoiceCharge] = [*bill.lines, *bill.additional_charges]
        assert sum(row.total for row in rows) == (write.total if inclusive else write.net)
        assert sum(row.tax for row in rows) == write.tax
        assert all(row.total == money.line_total(row.quantity, row.price, Decimal(0), currency) for row in rows)
        assert all(is_whole(row.total, currency) and is_whole(row.tax, currency) for row in rows)
        assert (bill.total_before_tax, bill.tax, bill.total) == (write.net, write.tax, write.total)
        for code in {row.code_a or "" for row in document.postings}:
            posted = sum((row.curr_amount or Decimal(0) for row in document.postings if row.code_a == code), Decimal(0))
            assert sum(entry.net for entry in write.entries if entry.account == code) == posted, "on its own account"


def test_these_are_more_than_a_hundred_thousand_amounts() -> None:
    of_one_currency = SHARED + PRICED + TAXED + 2 * INVOICED
    assert len(CURRENCIES) * of_one_currency >= 100_000
    assert {money.minor_units(currency) for currency in CURRENCIES} == {0, 2, 3}
