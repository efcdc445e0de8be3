"""Whatever IFS sends and whatever the tables say: a result or findings, never an exception, and no money lost."""

import functools
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.config.rules import (
    ChartAccount,
    Company,
    Product,
    Reference,
    Rules,
    Site,
    Tables,
    TaxCode,
    TaxRule,
    Term,
)
from shared.config.settings import Cin7Settings, PolicySettings
from shared.findings import CODES
from shared.ifs.records import purchase_orders as orders
from shared.ifs.records import suppliers
from tests.unit.mapping.samples import RULES
from workers.mapping.purchase_orders import map_order
from workers.mapping.results import PurchaseWrite, SupplierWrites
from workers.mapping.suppliers import map_supplier

#: Few enough to meet: keys of documents are often found in the tables.
WORDS = st.sampled_from(["", " ", "1", "10", "V20", "BOLT-8", "30", "EUR", "EE", "S10", "main", "Tax", "Released"])
TEXTS = st.one_of(
    WORDS,
    st.text(max_size=20),
    st.sampled_from(["\x00", "a\nb", "\ud800", "x" * 300, "x" * 2000, "Cancelled", "2026-03-20T00:00:00Z"]),
)
MAYBE = st.none() | TEXTS
NUMBERS = st.one_of(
    st.integers(min_value=0, max_value=500).map(Decimal),
    st.decimals(min_value=0, max_value=1000, places=4),
    st.decimals(),
    st.sampled_from([Decimal("1E+999999"), Decimal("1E-999999"), Decimal("0E+999999"), Decimal("sNaN")]),
)
BOOLS = st.none() | st.booleans()
IDS = st.none() | st.integers(min_value=1, max_value=3)


def record(shape: type[msgspec.Struct], **fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.builds(shape, **fields)


def texts(*names: str, of: st.SearchStrategy[object] = MAYBE) -> dict[str, st.SearchStrategy[object]]:
    return dict.fromkeys(names, of)


def several(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


ORDERS = st.builds(
    orders.OrderDocument,
    header=record(
        orders.OrderHeader,
        **texts("order_no", "vendor_no", of=TEXTS),
        **texts("contract", "company", "order_date", "wanted_receipt_date", "pay_term_id", "note_text"),
        currency_code=st.just("EUR") | TEXTS,
        objstate=st.just("Released") | TEXTS,
        use_price_incl_tax=BOOLS,
        pre_accounting_id=IDS,
    ),
    lines=several(
        record(
            orders.OrderLine,
            **texts("order_no", "line_no", "release_no", of=TEXTS),
            **texts("part_no", "description", "currency_code", "tax_code", "objstate"),
            **texts("planned_receipt_date", "wanted_delivery_date"),
            buy_qty_due=NUMBERS,
            buy_unit_price=NUMBERS,
            discount=st.none() | NUMBERS,
            additional_cost_amount=st.none() | NUMBERS,
            net_amt_curr=st.none() | NUMBERS,
            gross_amt_curr=st.none() | NUMBERS,
            pre_accounting_id=IDS,
        )
    ),
    code_parts=several(
        record(orders.CodeParts, pre_accounting_id=st.integers(1, 3), **texts("account_no", "codeno_b", "codeno_c"))
    ),
)
SUPPLIERS = st.builds(
    suppliers.SupplierDocument,
    header=record(
        suppliers.SupplierHeader, **texts("supplier_id", "name", of=TEXTS), **texts("association_no", "country")
    ),
    addresses=several(
        record(
            suppliers.Address,
            **texts("supplier_id", "address_id", of=TEXTS),
            **texts("name", "address1", "address2", "zip_code", "city", "county", "state", "country"),
        )
    ),
    address_types=several(
        record(
            suppliers.AddressType,
            **texts("supplier_id", "address_id", of=TEXTS),
            address_type_code=st.sampled_from(["Delivery", "Pay", "Document", "Visit", "?"]),
            def_address=BOOLS,
        )
    ),
    comm_methods=several(
        record(
            suppliers.CommMethod,
            **texts("identity", of=TEXTS),
            **texts("name", "value"),
            method_id=st.sampled_from(["Phone", "Email", "Www", "Telex"]),
            method_default=BOOLS,
        )
    ),
    invoice_info=several(
        record(
            suppliers.InvoiceInfo,
            **texts("identity", "company", of=TEXTS),
            **texts("def_currency", "pay_term_id", "def_vat_code"),
        )
    ),
    tax_info=several(
        record(suppliers.TaxInfo, **texts("supplier_id", "company", of=TEXTS), **texts("address_id", "vat_no"))
    ),
)


def table(
    keys: st.SearchStrategy[object], values: st.SearchStrategy[object]
) -> st.SearchStrategy[dict[object, object]]:
    return st.dictionaries(keys, values, max_size=3)


CELLS = st.one_of(WORDS, st.text(max_size=8))
PAIRS = st.tuples(CELLS, CELLS)
ANY_RULES = st.builds(
    Rules,
    tables=st.builds(
        Tables,
        companies=table(
            CELLS,
            st.builds(
                Company,
                **texts("company", "cin7_account", "location", "payable_account", "tax_rule", of=CELLS),
                lead=st.booleans(),
            ),
        ),
        sites=table(CELLS, record(Site, **texts("site", "company", "location", of=CELLS))),
        accounts=table(PAIRS, CELLS),
        payment_terms=table(PAIRS, CELLS),
        tax_codes=table(PAIRS, st.builds(TaxCode, cin7_tax_rule=CELLS, percent=st.none() | NUMBERS)),
        products=table(CELLS, CELLS),
        countries=table(CELLS, CELLS),
    ),
    policy=st.builds(PolicySettings, accounts=st.sampled_from(["same-code", "explicit"]), total_tolerance=CELLS),
    cin7=table(
        CELLS,
        st.builds(Cin7Settings, gl_line_description=st.just("line") | CELLS, supplier_number_attribute=st.just(1)),
    ),
    reference=table(
        CELLS,
        st.builds(
            Reference,
            accounts=table(
                CELLS,
                st.builds(
                    ChartAccount, code=CELLS, name=CELLS, status=CELLS | st.just("ACTIVE"), payable=st.booleans()
                ),
            ),
            terms=table(CELLS, st.builds(Term, name=CELLS, active=st.booleans())),
            tax_rules=table(CELLS, st.builds(TaxRule, name=CELLS, active=st.booleans(), percent=NUMBERS)),
            locations=st.frozensets(CELLS, max_size=3),
            products=table(CELLS, st.builds(Product, product_id=CELLS, sku=CELLS, name=CELLS)),
        ),
    ),
    ifs_sites=table(CELLS, CELLS),
)
#: Rules under which a document has a fair chance to get through.
FAIR_RULES = st.just(RULES) | ANY_RULES


def require_findings(result: object) -> None:
    assert isinstance(result, list)
    assert result
    for finding in result:
        assert finding.code in CODES
        assert finding.field
        assert finding.message
        assert finding.remedy
    assert b"\\u0000" not in msgspec.json.encode(result)


@settings(max_examples=300, deadline=None)
@given(ORDERS, FAIR_RULES)
def test_any_order_gives_a_purchase_or_findings(document: orders.OrderDocument, rules: Rules) -> None:
    result = map_order(document, rules)
    if isinstance(result, PurchaseWrite):
        assert msgspec.json.decode(msgspec.json.encode(result), type=PurchaseWrite) == result
    else:
        require_findings(result)


@settings(max_examples=300, deadline=None)
@given(SUPPLIERS, FAIR_RULES)
def test_any_supplier_gives_suppliers_or_findings(document: suppliers.SupplierDocument, rules: Rules) -> None:
    result = map_supplier(document, rules)
    if isinstance(result, SupplierWrites):
        assert msgspec.json.decode(msgspec.json.encode(result), type=SupplierWrites) == result
        assert result.writes
    else:
        require_findings(result)


PRICED_LINES = st.lists(
    st.builds(
        orders.OrderLine,
        order_no=st.just("1001"),
        line_no=st.integers(1, 9999).map(str),
        release_no=st.just("1"),
        part_no=st.sampled_from([None, "BOLT-8", "NUT-8"]),
        description=st.just("Some text"),
        buy_qty_due=st.decimals(min_value=1, max_value=10_000, places=4),
        buy_unit_price=st.decimals(min_value=0, max_value=10_000, places=4),
        discount=st.none() | st.decimals(min_value=0, max_value=100, places=2),
        additional_cost_amount=st.none() | st.decimals(min_value=0, max_value=100, places=2),
        tax_code=st.sampled_from([None, "V20", "V5"]),
        pre_accounting_id=st.just(77),
        objstate=st.sampled_from(["Released", "Cancelled"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(PRICED_LINES, st.booleans(), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_no_money_is_lost_between_the_lines_and_the_totals(
    lines: list[orders.OrderLine],
    inclusive: bool,
    currency: str,
) -> None:
    header = orders.OrderHeader(
        order_no="1001",
        vendor_no="S1",
        company="10",
        contract="S10",
        currency_code=currency,
        use_price_incl_tax=inclusive,
        objstate="Released",
    )
    parts = (orders.CodeParts(pre_accounting_id=77, account_no="4010"),)
    result = map_order(orders.OrderDocument(header=header, lines=tuple(lines), code_parts=parts), RULES)
    live = [line for line in lines if line.objstate != "Cancelled"]
    if not live:
        require_findings(result)
        return
    assert isinstance(result, PurchaseWrite)
    placed = result.order
    entries: list[OrderLine | OrderCharge] = [*placed.lines, *placed.additional_charges]
    amount = sum((entry.total for entry in entries), Decimal(0))
    assert placed.total_before_tax + placed.tax == placed.total
    assert amount == (placed.total if inclusive else placed.total_before_tax)
    assert placed.tax == sum((entry.tax for entry in entries), Decimal(0))
    assert amount == sum((trace.amount for trace in result.trace), Decimal(0))
    # What IFS asks for, exactly, is met to half a minor unit per amount that was rounded, two a line.
    exact = functools.reduce(
        lambda total, line: (
            total
            + line.buy_qty_due * line.buy_unit_price * (100 - (line.discount or 0)) / 100
            + (line.additional_cost_amount or 0)
        ),
        live,
        Decimal(0),
    )
    unit = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    assert abs(amount - exact) <= unit * len(live)
