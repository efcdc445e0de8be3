"""What a Cin7 account holds that mappings ask for: chart, terms, tax rules, locations, products, company."""

from typing import Final

from shared.cin7.answers import Row, flag, identifier, number, text
from shared.cin7.client import Cin7Client, every
from shared.config.rules import ChartAccount, Product, Reference, TaxRule, Term

#: How the payables account is marked, before and since 2026. Source: docs/apis/cin7.md#chart-of-accounts.
_PAYABLES: Final = frozenset({"creditors", "accounts payable"})


def read_reference(client: Cin7Client, lane: str = "live") -> Reference:
    """Read everything anew, in at least six calls."""
    company = client.me(lane=lane)
    return Reference(
        accounts=read_accounts(client, lane),
        terms=read_terms(client, lane),
        tax_rules=read_tax_rules(client, lane),
        locations=read_locations(client, lane),
        products=read_products(client, lane),
        base_currency=text(company, "Currency"),
        lock_date=text(company, "LockDate"),
    )


def read_accounts(client: Cin7Client, lane: str = "live") -> dict[str, ChartAccount]:
    found = map(chart_account, client.accounts(lane=lane))
    return {account.code: account for account in found if account.code}


def read_terms(client: Cin7Client, lane: str = "live") -> dict[str, Term]:
    # Of two with one name the active one counts, so it comes last.
    found = sorted(map(payment_term, client.terms(lane=lane)), key=lambda term: term.active)
    return {term.name: term for term in found}


def read_tax_rules(client: Cin7Client, lane: str = "live") -> dict[str, TaxRule]:
    found = sorted(map(tax_rule, client.tax_rules(lane=lane)), key=lambda rule: rule.active)
    return {rule.name: rule for rule in found}


def read_locations(client: Cin7Client, lane: str = "live") -> frozenset[str]:
    """Return the names of the locations in use. Bins are listed as rows with a parent; they are none."""
    found = (row for row in client.locations(lane=lane) if not identifier(row, "ParentID"))
    return frozenset(text(row, "Name") for row in found if not flag(row, "IsDeprecated"))


def read_products(client: Cin7Client, lane: str = "live") -> dict[str, Product]:
    rows = every(lambda page: client.products_page(page, lane=lane))
    return {item.sku: item for item in map(product, rows)}


def chart_account(row: Row) -> ChartAccount:
    """Return one account. Pure; codes stay text, since `001` is not `1`."""
    system = {text(row, "SystemAccountCode").lower(), text(row, "SystemAccount").lower()}
    return ChartAccount(
        code=text(row, "Code"), name=text(row, "Name"), status=text(row, "Status"), payable=bool(system & _PAYABLES)
    )


def payment_term(row: Row) -> Term:
    """Return one payment term. Pure."""
    days = None if text(row, "Duration") == "" else int(number(row, "Duration"))
    return Term(name=text(row, "Name"), active=flag(row, "IsActive"), days=days)


def tax_rule(row: Row) -> TaxRule:
    """Return one tax rule. Pure."""
    return TaxRule(
        name=text(row, "Name"),
        active=flag(row, "IsActive"),
        percent=number(row, "TaxPercent"),
        inclusive=flag(row, "TaxInclusive"),
        for_purchase=flag(row, "IsTaxForPurchase"),
    )


def product(row: Row) -> Product:
    """Return one product. Pure."""
    return Product(
        product_id=identifier(row, "ID") or "",
        sku=text(row, "SKU"),
        name=text(row, "Name"),
        type=text(row, "Type"),
        active=text(row, "Status").lower() == "active",
    )
