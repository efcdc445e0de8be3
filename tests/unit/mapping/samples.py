"""One good sample of each record and the rules that make it good; tests vary the field they are about."""

from decimal import Decimal

import msgspec

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
from shared.config.settings import Cin7Settings
from shared.findings import Finding
from shared.ifs.records import purchase_orders as orders
from shared.ifs.records import suppliers
from workers.mapping.purchase_orders import map_order
from workers.mapping.results import PurchaseWrite, SupplierWrites
from workers.mapping.suppliers import map_supplier


def account(code: str, *, status: str = "ACTIVE", payable: bool = False) -> ChartAccount:
    return ChartAccount(code=code, name=f"Account {code}", status=status, payable=payable)


REFERENCE = Reference(
    accounts={
        "800": account("800", payable=True),
        "801": account("801"),
        "4010": account("4010"),
        "6100": account("6100"),
        "7000": account("7000", status="ARCHIVED"),
    },
    terms={"30 days": Term(name="30 days", active=True), "Cash": Term(name="Cash", active=False)},
    tax_rules={
        "Tax on Purchases": TaxRule(name="Tax on Purchases", active=True, percent=Decimal(20)),
        "Reduced": TaxRule(name="Reduced", active=True, percent=Decimal(5)),
        "Retired": TaxRule(name="Retired", active=False, percent=Decimal(20)),
        "Tax on Sales": TaxRule(name="Tax on Sales", active=True, percent=Decimal(20), for_purchase=False),
    },
    locations=frozenset({"Main Warehouse", "North"}),
    products={
        "BOLT-8": Product(product_id="p-bolt", sku="BOLT-8", name="Bolt M8"),
        "NUT-8": Product(product_id="p-nut", sku="NUT-8", name="Nut M8"),
        "OLD-1": Product(product_id="p-old", sku="OLD-1", name="Old", active=False),
        "FREIGHT": Product(product_id="p-freight", sku="FREIGHT", name="Freight", type="Service"),
    },
    base_currency="EUR",
)

RULES = Rules(
    tables=Tables(
        companies={
            "10": Company(
                company="10",
                cin7_account="main",
                location="Main Warehouse",
                payable_account="800",
                tax_rule="Tax on Purchases",
            ),
            "20": Company(
                company="20",
                cin7_account="main",
                location="North",
                payable_account="800",
                tax_rule="Tax on Purchases",
            ),
            "30": Company(
                company="30", cin7_account="west", location="North", payable_account="800", tax_rule="Reduced"
            ),
        },
        sites={"S10": Site(site="S10", company="10", location="North")},
        accounts={("10", "5000"): "6100"},
        payment_terms={
            ("10", "30"): "30 days",
            ("20", "30"): "30 days",
            ("30", "30"): "30 days",
            ("10", "0"): "Cash",
            ("10", "60"): "60 days",
        },
        tax_codes={
            ("10", "V20"): TaxCode(cin7_tax_rule="Tax on Purchases"),
            ("10", "V5"): TaxCode(cin7_tax_rule="Reduced", percent=Decimal("5.5")),
            ("10", "GONE"): TaxCode(cin7_tax_rule="Nowhere"),
            ("10", "OLD"): TaxCode(cin7_tax_rule="Retired"),
            ("10", "SALE"): TaxCode(cin7_tax_rule="Tax on Sales"),
        },
        products={"B8": "BOLT-8"},
        countries={"GB": "United Kingdom", "EE": "Estonia"},
    ),
    cin7={"main": Cin7Settings(attribute_set="ERP link"), "west": Cin7Settings(supplier_number_attribute=3)},
    reference={"main": REFERENCE, "west": REFERENCE},
    ifs_sites={"S20": "20"},
)

ACME = suppliers.SupplierDocument(
    header=suppliers.SupplierHeader(supplier_id="S1", name="Acme Fasteners Ltd", association_no="AN-1", country="GB"),
    addresses=(
        suppliers.Address(
            supplier_id="S1", address_id="1", address1="1 Mill Lane", city="Leeds", zip_code="LS1 4AB", country="GB"
        ),
    ),
    address_types=(
        suppliers.AddressType(supplier_id="S1", address_id="1", address_type_code="Delivery", def_address=True),
        suppliers.AddressType(supplier_id="S1", address_id="1", address_type_code="Document", def_address=True),
        suppliers.AddressType(supplier_id="S1", address_id="1", address_type_code="Pay", def_address=True),
        suppliers.AddressType(supplier_id="S1", address_id="1", address_type_code="Visit", def_address=False),
    ),
    comm_methods=(
        suppliers.CommMethod(identity="S1", comm_id=1, method_id="Phone", name="Jo Reed", value="+44 113 496 0000"),
        suppliers.CommMethod(identity="S1", comm_id=2, method_id="Email", name="Jo Reed", value="jo@acme.example"),
        suppliers.CommMethod(identity="S1", comm_id=3, method_id="Www", value="https://acme.example"),
    ),
    invoice_info=(
        suppliers.InvoiceInfo(identity="S1", company="10", def_currency="GBP", pay_term_id="30", def_vat_code="V20"),
    ),
    tax_info=(suppliers.TaxInfo(supplier_id="S1", address_id="1", company="10", vat_no="GB123456789"),),
)

BOLT = orders.OrderLine(
    order_no="1001",
    line_no="1",
    release_no="1",
    part_no="BOLT-8",
    description="Bolt M8, zinc",
    buy_qty_due=Decimal(250),
    buy_unit_price=Decimal("0.184"),
    net_amt_curr=Decimal("46.00"),
    currency_code="EUR",
    planned_receipt_date="2026-03-20T00:00:00Z",
    tax_code="V20",
    objstate="Released",
)
CLEANING = orders.OrderLine(
    order_no="1001",
    line_no="2",
    release_no="1",
    description="Office cleaning, March",
    buy_qty_due=Decimal(1),
    buy_unit_price=Decimal("120.00"),
    currency_code="EUR",
    wanted_delivery_date="2026-03-18T00:00:00Z",
    tax_code="V20",
    pre_accounting_id=77,
    objstate="Released",
)
ORDER = orders.OrderDocument(
    header=orders.OrderHeader(
        order_no="1001",
        vendor_no="S1",
        contract="S10",
        company="10",
        currency_code="EUR",
        order_date="2026-03-01T00:00:00Z",
        pay_term_id="30",
        objstate="Released",
    ),
    lines=(BOLT, CLEANING),
    code_parts=(orders.CodeParts(pre_accounting_id=77, account_no="4010", codeno_b="C100"),),
)


def order(**changes: object) -> orders.OrderDocument:
    """Return ORDER with fields of its header changed."""
    return msgspec.structs.replace(ORDER, header=msgspec.structs.replace(ORDER.header, **changes))


def order_of(*lines: orders.OrderLine, **changes: object) -> orders.OrderDocument:
    return msgspec.structs.replace(order(**changes), lines=lines)


def bolt(**changes: object) -> orders.OrderLine:
    return msgspec.structs.replace(BOLT, **{"net_amt_curr": None, **changes})


def cleaning(**changes: object) -> orders.OrderLine:
    return msgspec.structs.replace(CLEANING, **changes)


def tables(**changes: object) -> Rules:
    return msgspec.structs.replace(RULES, tables=msgspec.structs.replace(RULES.tables, **changes))


def settings(**changes: object) -> Rules:
    """Return RULES with settings of the Cin7 account main changed."""
    main = msgspec.structs.replace(RULES.cin7["main"], **changes)
    return msgspec.structs.replace(RULES, cin7={**RULES.cin7, "main": main})


def policy(**changes: object) -> Rules:
    return msgspec.structs.replace(RULES, policy=msgspec.structs.replace(RULES.policy, **changes))


def company(code: str, **changes: object) -> Rules:
    """Return RULES with fields of one row of the table companies changed."""
    row = msgspec.structs.replace(RULES.tables.companies[code], **changes)
    return tables(companies={**RULES.tables.companies, code: row})


def written(document: orders.OrderDocument, rules: Rules = RULES) -> PurchaseWrite:
    result = map_order(document, rules)
    assert isinstance(result, PurchaseWrite), result
    return result


def refused(document: orders.OrderDocument, rules: Rules = RULES) -> list[Finding]:
    result = map_order(document, rules)
    assert isinstance(result, list), result
    return result


def supplied(document: suppliers.SupplierDocument, rules: Rules = RULES) -> SupplierWrites:
    result = map_supplier(document, rules)
    assert isinstance(result, SupplierWrites), result
    return result


def unsupplied(document: suppliers.SupplierDocument, rules: Rules = RULES) -> list[Finding]:
    result = map_supplier(document, rules)
    assert isinstance(result, list), result
    return result


def culprits(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """Return what the findings accuse: code, company, value."""
    return [(finding.code, finding.company, finding.value) for finding in findings]
