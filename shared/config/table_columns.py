"""What the mapping tables are: their columns, what each cell may hold, and what mappings make of the rows. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final

import babel
import msgspec

from shared.config.loading import ACCOUNT_NAME
from shared.config.rules import Company, Site, Tables, TaxCode

#: The cells of one row, in the order of its table's columns.
Cells = tuple[str, ...]
#: Characters. Longer than any field of either system that a cell may stand for.
CELL_LENGTH_MAX: Final = 256
#: Unassigned or exceptional codes that CLDR names beside the countries of ISO 3166.
_NOT_COUNTRIES: Final = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


class Column(msgspec.Struct, frozen=True):
    """`check` returns the cell as it is kept, or raises `ValueError` with what to write instead."""

    name: str
    required: bool = False
    check: Callable[[str], str] = str


class Table(msgspec.Struct, frozen=True):
    """One mapping table; its first `keys` columns tell its rows apart."""

    name: str
    keys: int
    columns: tuple[Column, ...]
    #: Looks at all rows together and returns what is wrong, or nothing.
    check: Callable[[Iterable[Cells]], str] = lambda _rows: ""

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def key(self, cells: Cells) -> Cells:
        return cells[: self.keys]


def _account(text: str) -> str:
    if not ACCOUNT_NAME.fullmatch(text):
        raise ValueError("write the name of a [cin7.<name>] section: a-z, 0-9, _ and -")
    return text


def _yes_no(text: str) -> str:
    if text.lower() not in ("yes", "no", ""):
        raise ValueError("write yes or no")
    return text.lower()


def _percent(text: str) -> str:
    try:
        percent = Decimal(text or "0")
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite() or not 0 <= percent <= 100 or not re.fullmatch(r"[0-9.]*", text):
        raise ValueError("write a percentage from 0 to 100 with a decimal point, such as 20 or 7.5")
    return text


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise ValueError("write the two letters of ISO 3166, such as GB")
    return text.upper()


def _one_lead_each(rows: Iterable[Cells]) -> str:
    leads: dict[str, str] = {}
    for company, account, _location, _payable, _tax, lead in rows:
        if lead == "yes" and leads.setdefault(account, company) != company:
            return f"companies {leads[account]} and {company} both lead in {account}: one lead per Cin7 account"
    return ""


_COMPANY: Final = Column("company", required=True)
_ALL: Final = (
    Table(
        "companies",
        1,
        (
            _COMPANY,
            Column("cin7_account", required=True, check=_account),
            Column("location"),
            Column("payable_account"),
            Column("tax_rule"),
            Column("lead", check=_yes_no),
        ),
        _one_lead_each,
    ),
    Table("sites", 1, (Column("site", required=True), _COMPANY, Column("location"))),
    Table("accounts", 2, (_COMPANY, Column("ifs_account", required=True), Column("cin7_code", required=True))),
    Table("payment_terms", 2, (_COMPANY, Column("ifs_term", required=True), Column("cin7_term", required=True))),
    Table(
        "tax_codes",
        2,
        (
            _COMPANY,
            Column("ifs_code", required=True),
            Column("cin7_tax_rule", required=True),
            Column("percent", check=_percent),
        ),
    ),
    Table("products", 1, (Column("ifs_part", required=True), Column("sku"))),
    Table("countries", 1, (Column("code", required=True, check=_country), Column("name", required=True))),
)
TABLES: Final[Mapping[str, Table]] = {table.name: table for table in _ALL}


def tables_of(rows: Mapping[str, Iterable[Cells]]) -> Tables:
    """Return what mappings ask, from the rows of each table by its name."""
    return Tables(
        companies={
            company: Company(
                company=company,
                cin7_account=account,
                location=location,
                payable_account=payable,
                tax_rule=tax_rule,
                lead=lead == "yes",
            )
            for company, account, location, payable, tax_rule, lead in rows.get("companies", ())
        },
        sites={
            site: Site(site=site, company=company, location=location)
            for site, company, location in rows.get("sites", ())
        },
        accounts={(company, account): code for company, account, code in rows.get("accounts", ())},
        payment_terms={(company, term): name for company, term, name in rows.get("payment_terms", ())},
        tax_codes={
            (company, code): TaxCode(cin7_tax_rule=rule, percent=Decimal(percent) if percent else None)
            for company, code, rule, percent in rows.get("tax_codes", ())
        },
        # A part without a SKU is itself the SKU, as if it had no row.
        products={part: sku for part, sku in rows.get("products", ()) if sku},
        countries=iso_countries() | {row[0]: row[1] for row in rows.get("countries", ())},
    )


@cache
def iso_countries() -> dict[str, str]:
    """Return the English name of every country by its two letters."""
    territories = babel.Locale("en").territories
    return {
        code: str(name)
        for code, name in territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_COUNTRIES
    }
