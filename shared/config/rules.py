"""What each company decided (mapping tables) and what Cin7 holds (reference data): all that a mapping may ask. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

import msgspec

from shared.config.settings import Cin7Settings, PolicySettings


class Company(msgspec.Struct, frozen=True, kw_only=True):
    company: str
    cin7_account: str
    location: str = ""
    payable_account: str = ""
    tax_rule: str = ""
    lead: bool = False


class Site(msgspec.Struct, frozen=True, kw_only=True):
    site: str
    company: str
    location: str = ""


class TaxCode(msgspec.Struct, frozen=True, kw_only=True):
    """`percent` None: the percentage that Cin7's tax rule has."""

    cin7_tax_rule: str
    percent: Decimal | None = None


class ChartAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a Cin7 chart. Source: docs/apis/cin7.md, chart of accounts."""

    code: str
    name: str
    status: str
    payable: bool = False

    @property
    def active(self) -> bool:
        return self.status.upper() == "ACTIVE"


class IfsAccount(Protocol):
    """One account of a chart of IFS, as far as a rule may ask."""

    @property
    def span(self) -> str:
        """The days on which it is valid, in words."""

    def valid_on(self, day: date) -> bool:
        """Say whether it may be posted to on `day`."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    active: bool
    days: int | None = None


class TaxRule(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    active: bool
    percent: Decimal
    inclusive: bool = False
    for_purchase: bool = True


class Product(msgspec.Struct, frozen=True, kw_only=True):
    product_id: str
    sku: str
    name: str
    type: str = "Stock"
    active: bool = True


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What one Cin7 account holds, as last read. Terms, tax rules and locations by name; the rest by code or SKU."""

    accounts: dict[str, ChartAccount] = {}
    terms: dict[str, Term] = {}
    tax_rules: dict[str, TaxRule] = {}
    locations: frozenset[str] = frozenset()
    products: dict[str, Product] = {}
    base_currency: str = ""
    lock_date: str = ""


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping tables, indexed by what they are asked for."""

    companies: dict[str, Company] = {}
    sites: dict[str, Site] = {}
    #: (company, IFS account) to Cin7 code
    accounts: dict[tuple[str, str], str] = {}
    #: (company, IFS term) to Cin7 term
    payment_terms: dict[tuple[str, str], str] = {}
    #: (company, IFS tax code)
    tax_codes: dict[tuple[str, str], TaxCode] = {}
    #: IFS part to SKU
    products: dict[str, str] = {}
    #: ISO 3166 alpha-2 code to the name Cin7 knows
    countries: dict[str, str] = {}


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a mapping may ask besides the record itself.

    Attributes:
        cin7: settings per Cin7 account.
        reference: what each Cin7 account holds.
        ifs_sites: IFS's own site to company, for sites that the table `sites` does not name.
        ifs_accounts: IFS's own accounts by company and number; a company whose chart is not known is not in it.
        supplier_status: the settings name a property that tells whether a supplier is blocked.
        today: YYYY-MM-DD on IFS's clock.
        new_supplier: what else IFS wants of each part of a supplier that is created there, by set and property.
    """

    tables: Tables = Tables()
    policy: PolicySettings = PolicySettings()
    cin7: dict[str, Cin7Settings] = {}
    reference: dict[str, Reference] = {}
    ifs_sites: dict[str, str] = {}
    ifs_accounts: Mapping[str, Mapping[str, IfsAccount]] = {}
    supplier_status: bool = False
    today: str = ""
    new_supplier: dict[str, dict[str, str | bool | int]] = {}
