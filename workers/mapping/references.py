"""Payment terms, tax rules and locations: what IFS calls them to what the company's Cin7 account knows. Pure."""

from decimal import Decimal

import msgspec

from shared.config.rules import Rules
from shared.findings import Finding
from shared.money import usable
from workers.mapping.companies import Destination
from workers.mapping.texts import shown


class Tax(msgspec.Struct, frozen=True):
    rule: str
    percent: Decimal


def term_of(destination: Destination, ifs_term: str, rules: Rules, *, field: str = "PayTermId") -> str | Finding:
    """Return the name of the Cin7 payment term, or why there is none that Cin7 would take."""
    company = destination.code
    name = rules.tables.payment_terms.get((company, ifs_term))
    if name is None:
        message = f"Payment term {shown(ifs_term)} of company {company} is not in the table payment_terms."
        remedy = f"Add company {company}, term {shown(ifs_term)} to the table payment_terms."
    else:
        term = destination.reference.terms.get(name)
        if term is not None and term.active:
            return name
        lack = "does not have it" if term is None else "has it as inactive"
        message = (
            f"Payment term {shown(ifs_term)} of company {company} becomes {shown(name)!r}, "
            f"but Cin7 account {destination.account} {lack}."
        )
        remedy = f"Add or activate {shown(name)!r} in Cin7, or correct the table payment_terms."
    return destination.finding("term.unmapped", field, ifs_term, message=message, remedy=remedy)


def tax_of(destination: Destination, ifs_code: str, rules: Rules, *, field: str) -> Tax | Finding:
    """Return the Cin7 tax rule and its percentage; the company's own rule where IFS names no code."""
    company = destination.code
    if not ifs_code:
        name, percent = destination.company.tax_rule, None
        if not name:
            message = f"{field} is empty and company {company} has no tax rule of its own."
            remedy = f"Give company {company} a tax_rule in the table companies."
            return destination.finding("tax.unmapped", field, "", message=message, remedy=remedy)
    else:
        row = rules.tables.tax_codes.get((company, ifs_code))
        if row is None:
            message = f"Tax code {shown(ifs_code)} of company {company} is not in the table tax_codes ({field})."
            remedy = f"Add company {company}, code {shown(ifs_code)} to the table tax_codes."
            return destination.finding("tax.unmapped", field, ifs_code, message=message, remedy=remedy)
        name, percent = row.cin7_tax_rule, row.percent
    return _checked(destination, name, percent, ifs_code, field)


def _checked(destination: Destination, name: str, percent: Decimal | None, ifs_code: str, field: str) -> Tax | Finding:
    """Return the tax rule `name` if purchases in Cin7 may use it."""
    held = destination.reference.tax_rules.get(name)
    share = percent if percent is not None or held is None else held.percent
    if held is None:
        lack = "does not have it"
    elif not held.active:
        lack = "has it as inactive"
    elif not held.for_purchase:
        lack = "keeps it for sales only"
    elif share is None or not usable(share) or not 0 <= share <= 100:
        lack = f"gives it {share} per cent, which is no percentage"
    else:
        return Tax(name, share)
    message = (
        f"Tax rule {shown(name)!r} is wanted for {field} of company {destination.code}, "
        f"but Cin7 account {destination.account} {lack}."
    )
    remedy = f"Add or activate {shown(name)!r} in Cin7 for purchases, or correct the tables tax_codes and companies."
    return destination.finding("tax.unmapped", field, ifs_code or name, message=message, remedy=remedy)


def location_of(destination: Destination, site: str, rules: Rules) -> str | Finding:
    """Return the Cin7 location of a site, else of its company."""
    row = rules.tables.sites.get(site)
    name = (row.location if row else "") or destination.company.location
    if name and name in destination.reference.locations:
        return name
    company = destination.code
    where = f"Site {shown(site) or '(none)'} of company {company}"
    if name:
        message = f"{where} goes to location {shown(name)!r}, which Cin7 account {destination.account} does not have."
    else:
        message = f"{where} has no Cin7 location."
    remedy = f"Name an existing location for site {shown(site)} in the table sites, or for its company in companies."
    return destination.finding("site.unmapped", "Contract", site, message=message, remedy=remedy)
