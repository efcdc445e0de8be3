"""What both systems agree on before any record moves: companies, sites, charts, terms, tax codes, parts. Made up."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A GL account. `cin7` is its code there; empty: the Cin7 chart lacks it. `coded`: order lines may use it."""

    code: str
    name: str
    cin7: str
    status: str = "ACTIVE"
    coded: bool = True
    ledger: bool = False
    statistical: bool = False
    valid_until: str = "2049-12-31"


@dataclass(frozen=True, kw_only=True)
class Term:
    """A payment term. `cin7` empty: no row in the table maps it."""

    code: str
    days: int
    cin7: str


@dataclass(frozen=True, kw_only=True)
class TaxCode:
    code: str
    percent: Decimal
    cin7: str


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company of IFS. `cin7_account` empty: the tables do not know it."""

    code: str
    name: str
    country: str
    currency: str
    sites: tuple[tuple[str, str], ...]
    accounts: tuple[Account, ...]
    terms: tuple[Term, ...]
    taxes: tuple[TaxCode, ...]
    cost_centres: tuple[str, ...]
    cin7_account: str = ""
    payable: str = ""
    account_id: str = ""
    keys: tuple[str, ...] = ()

    @property
    def codings(self) -> tuple[str, ...]:
        """Return the accounts that order lines are coded to when nothing is wrong."""
        return tuple(account.code for account in self.accounts if account.coded)


@dataclass(frozen=True, kw_only=True)
class Part:
    part_no: str
    sku: str
    name: str
    unit: str
    price: Decimal


#: Account that company 10 uses and the Cin7 chart lacks.
MISSING_ACCOUNT: Final = "9999"
#: Account that the Cin7 chart of company 10 has archived.
INACTIVE_ACCOUNT: Final = "6990"
UNMAPPED_TERM: Final = "45SPEC"
UNMAPPED_TAX: Final = "OLD19"
MISSING_PART: Final = "GHOST-1"
UNMAPPED_COMPANY: Final = "30"

COMPANIES: Final = (
    Company(
        code="10",
        name="Nordbro Industri AB",
        country="SE",
        currency="SEK",
        sites=(("S10", "Gothenburg DC"), ("S11", "Malmö Store")),
        accounts=(
            Account(code="4010", name="Materials", cin7="4010"),
            Account(code="40-10", name="Packaging", cin7="4011"),
            Account(code="5010", name="Rent of premises", cin7="5010"),
            Account(code="5410", name="Consumables", cin7="5410"),
            Account(code="5611", name="Fuel", cin7="5611"),
            Account(code="6110", name="Office supplies", cin7="6110"),
            Account(code="6230", name="Data communication", cin7="6230"),
            Account(code="6550", name="Consultants", cin7="6550"),
            Account(code="0761", name="Training", cin7="0761"),
            Account(code=INACTIVE_ACCOUNT, name="Other external costs", cin7="6990", status="ARCHIVED", coded=False),
            Account(code=MISSING_ACCOUNT, name="Clearing of projects", cin7="", coded=False),
            Account(code="2440", name="Trade payables", cin7="2440", coded=False, ledger=True),
            Account(code="5020", name="Electricity until 2020", cin7="", coded=False, valid_until="2020-12-31"),
            Account(code="ST100", name="Square metres", cin7="", coded=False, statistical=True),
        ),
        terms=(
            Term(code="0", days=0, cin7="Cash"),
            Term(code="10", days=10, cin7="10 days"),
            Term(code="30", days=30, cin7="30 days"),
            Term(code="60", days=60, cin7="60 days"),
            Term(code=UNMAPPED_TERM, days=45, cin7=""),
        ),
        taxes=(
            TaxCode(code="I25", percent=Decimal(25), cin7="Purchases 25%"),
            TaxCode(code="I12", percent=Decimal(12), cin7="Purchases 12%"),
            TaxCode(code="I0", percent=Decimal(0), cin7="No tax"),
        ),
        cost_centres=("100", "110", "200", "310", "DRIFT"),
        cin7_account="main",
        payable="2440",
        account_id="3f0a6c52-8d1e-4b7a-9c35-1e2d4f6a8b10",
        keys=("7a1c9e04-52b6-4f38-8d0e-a1b2c3d4e501", "7a1c9e04-52b6-4f38-8d0e-a1b2c3d4e502"),
    ),
    Company(
        code="20",
        name="Albion Marine Ltd",
        country="GB",
        currency="GBP",
        sites=(("S20", "Southampton"),),
        accounts=(
            Account(code="310", name="Purchases", cin7="310"),
            Account(code="400", name="Advertising", cin7="400"),
            Account(code="425", name="Freight and courier", cin7="425"),
            Account(code="429", name="General expenses", cin7="429"),
            Account(code="5010", name="Harbour dues", cin7="470"),
            Account(code="461", name="Printing and stationery", cin7="461"),
            Account(code="800", name="Accounts payable", cin7="800", coded=False, ledger=True),
        ),
        terms=(
            Term(code="14", days=14, cin7="14 days"),
            Term(code="30", days=30, cin7="Net 30"),
            Term(code="30EOM", days=30, cin7="30 days EOM"),
        ),
        taxes=(
            TaxCode(code="VAT20", percent=Decimal(20), cin7="20% (VAT on Expenses)"),
            TaxCode(code="VAT5", percent=Decimal(5), cin7="5% (VAT on Expenses)"),
            TaxCode(code="ZERO", percent=Decimal(0), cin7="Zero Rated Expenses"),
        ),
        cost_centres=("A01", "A02", "B-17"),
        cin7_account="second",
        payable="800",
        account_id="91c4e7d0-26fb-4a85-b3e9-5d7c0a8f2e34",
        keys=("c5d80b12-6e47-4a9f-b1c3-0f9e8d7c6b01",),
    ),
    Company(
        code=UNMAPPED_COMPANY,
        name="Fjordlager AS",
        country="NO",
        currency="NOK",
        sites=(("S30", "Bergen"),),
        accounts=(Account(code="4300", name="Goods for resale", cin7=""),),
        terms=(Term(code="30", days=30, cin7=""),),
        taxes=(TaxCode(code="N25", percent=Decimal(25), cin7=""),),
        cost_centres=("1",),
    ),
)
BY_CODE: Final[Mapping[str, Company]] = {company.code: company for company in COMPANIES}
MAPPED: Final = tuple(company for company in COMPANIES if company.cin7_account)

_PARTS = """
BOLT-M6|Bolt M6x20 zinc|pcs|0.184
BOLT-M8|Bolt M8x30 zinc|pcs|0.26
NUT-M8|Nut M8|pcs|0.0425
WASHER-8|Washer 8.4|pcs|0.031
PLATE-3|Steel plate 3 mm|m2|41.5
PLATE-5|Steel plate 5 mm|m2|66.25
TUBE-40|Tube 40x40x2|m|7.9
VALVE-1/2|Ball valve 1/2"|pcs|12.35
VALVE-3/4|Ball valve 3/4"|pcs|18.6
SEAL-22|Shaft seal 22|pcs|3.75
BEARING-6204|Ball bearing 6204|pcs|5.48
PUMP-A1|Bilge pump A1|pcs|249
PUMP-A2|Bilge pump A2|pcs|389.5
CABLE-3G15|Cable 3G1.5|m|0.98
CABLE-5G25|Cable 5G2.5|m|2.345
PAINT-RED|Anti-fouling, red|l|21.9
PAINT-BLUE|Anti-fouling, blue|l|21.9
GREASE-1|Lithium grease|kg|9.15
FILTER-OIL|Oil filter|pcs|7.35
FILTER-AIR|Air filter|pcs|14.2
BELT-A42|V-belt A42|pcs|6.6
HOSE-12|Hose 12 mm|m|3.3
CLAMP-12|Hose clamp 12-22|pcs|0.72
ROPE-10|Rope 10 mm|m|1.84
SHACKLE-8|Shackle 8 mm|pcs|4.05
LAMP-LED|Deck lamp LED|pcs|58.75
FUSE-10|Fuse 10 A|pcs|0.55
BATTERY-80|Battery 80 Ah|pcs|134
GLOVE-L|Gloves, size L|pair|2.45
LABEL-A6|Labels A6, box|box|16.8
"""
#: Parts whose SKU differs, so that the table `products` matters.
_RENAMED = {"BOLT-M8": "BOLT-8-30", "PUMP-A1": "BILGE-A1", "CABLE-5G25": "CBL-5G2.5"}


def _part(line: str) -> Part:
    part_no, name, unit, price = line.split("|")
    return Part(part_no=part_no, sku=_RENAMED.get(part_no, part_no), name=name, unit=unit, price=Decimal(price))


PARTS: Final = tuple(_part(line) for line in _PARTS.split("\n") if line)


def ifs_ground() -> dict[str, list[Row]]:
    """Return IFS's rows of what does not move: companies, sites, accounts, terms, cost centres."""
    return {
        "CompanySet": [
            {"Company": company.code, "Name": company.name, "Country": company.country, "CreationDate": "2015-01-01"}
            for company in COMPANIES
        ],
        "CompanySiteSet": [
            {"Contract": site, "Company": company.code, "Description": name}
            for company in COMPANIES
            for site, name in company.sites
        ],
        "AccountSet": [ifs_account_row(company.code, account) for company in COMPANIES for account in company.accounts],
        "PaymentTermSet": [
            {"Company": company.code, "PayTermId": term.code, "Description": f"{term.days} days"}
            for company in COMPANIES
            for term in company.terms
        ],
        "AccountingCodePartValueSet": [
            {"Company": company.code, "CodePart": "B", "CodePartValue": centre, "Description": f"Cost centre {centre}"}
            for company in COMPANIES
            for centre in company.cost_centres
        ],
    }


def ifs_account_row(company: str, account: Account) -> Row:
    return {
        "Company": company,
        "Account": account.code,
        "Description": account.name,
        "ValidFrom": "2015-01-01",
        "ValidUntil": account.valid_until,
        "AccntGroup": account.code[:1],
        "AccntType": "LIABILITY" if account.ledger else "STAT" if account.statistical else "COST",
        "LogicalAccountType": "L" if account.ledger else "S" if account.statistical else "C",
        "LedgFlag": account.ledger,
        "TaxFlag": False,
        "StatAccount": account.statistical,
        "BlockedForPosting": False,
    }


def cin7_account(company: Company) -> Row:
    """Return the seed of the company's Cin7 account, without suppliers."""
    chart = [
        cin7_account_row(account.cin7, account.name, status=account.status, payable=account.ledger)
        for account in company.accounts
        if account.cin7
    ]
    chart.append({"Code": "1410", "Name": "Inventory", "Type": "CURRENT", "Class": "ASSET", "Status": "ACTIVE"})
    chart.append(
        {"Code": "820", "Name": "Sales tax", "Type": "CURRLIAB", "Class": "LIABILITY", "SystemAccountCode": "GST"}
    )
    terms = [
        {"Name": term.cin7, "Duration": term.days, "Method": "number of days", "IsActive": True}
        for term in company.terms
        if term.cin7
    ]
    terms.append({"Name": "90 days", "Duration": 90, "Method": "number of days", "IsActive": False})
    return {
        "account_id": company.account_id,
        "keys": list(company.keys),
        "company": {"Company": company.name, "Currency": company.currency, "DefaultLocation": company.sites[0][1]},
        "chart": chart,
        "terms": terms,
        "taxes": [
            {"Name": tax.cin7, "TaxPercent": int(tax.percent), "IsActive": True, "IsTaxForPurchase": True}
            for tax in company.taxes
        ],
        "locations": [{"Name": name, "IsDefault": place == 0} for place, (_, name) in enumerate(company.sites)],
        "products": [
            {"ID": _product_id(company, place), "SKU": part.sku, "Name": part.name, "Type": "Stock", "Status": "Active"}
            for place, part in enumerate(PARTS)
        ],
        "attribute_sets": [{"Name": "ERP link", "Attribute1Name": "IFS number", "Attribute1Type": "Text"}],
    }


def cin7_account_row(code: str, name: str, *, status: str, payable: bool) -> Row:
    row: Row = {"Code": code, "Name": name, "Type": "EXPENSE", "Class": "EXPENSE", "Status": status}
    if payable:
        system = {"SystemAccount": "Accounts payable", "SystemAccountCode": "CREDITORS"}
        return {**row, "Type": "CURRLIAB", "Class": "LIABILITY", **system}
    return {**row, "SystemAccount": None, "SystemAccountCode": None}


def _product_id(company: Company, place: int) -> str:
    return f"{company.account_id[:8]}-0000-4000-8000-{place:012d}"


def tables() -> dict[str, str]:
    """Return the mapping tables as CSV by name."""
    lines: dict[str, tuple[tuple[str, ...], Iterable[tuple[object, ...]]]] = {
        "companies": (
            ("company", "cin7_account", "location", "payable_account", "tax_rule", "lead"),
            [(c.code, c.cin7_account, c.sites[0][1], c.payable, c.taxes[0].cin7, "yes") for c in MAPPED],
        ),
        "sites": (("site", "company", "location"), [(site, c.code, name) for c in MAPPED for site, name in c.sites]),
        "accounts": (
            ("company", "ifs_account", "cin7_code"),
            [(c.code, a.code, a.cin7) for c in MAPPED for a in c.accounts if a.cin7 and a.cin7 != a.code],
        ),
        "payment_terms": (
            ("company", "ifs_term", "cin7_term"),
            [(c.code, term.code, term.cin7) for c in MAPPED for term in c.terms if term.cin7],
        ),
        "tax_codes": (
            ("company", "ifs_code", "cin7_tax_rule", "percent"),
            [(c.code, tax.code, tax.cin7, tax.percent) for c in MAPPED for tax in c.taxes],
        ),
        "products": (
            ("ifs_part", "sku"),
            [(part.part_no, part.sku) for part in PARTS if part.sku != part.part_no],
        ),
    }
    return {name: _csv(headings, rows) for name, (headings, rows) in lines.items()}


def _csv(headings: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()
