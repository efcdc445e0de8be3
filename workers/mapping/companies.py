"""Company code to the Cin7 account that its documents go to. Pure."""

import msgspec

from shared.config.rules import Company, Reference, Rules
from shared.config.settings import Cin7Settings
from shared.findings import Finding
from workers.mapping.texts import escaped, shown


class Destination(msgspec.Struct, frozen=True):
    """One company's Cin7 account: what was decided about it and what it holds."""

    company: Company
    settings: Cin7Settings
    reference: Reference

    @property
    def code(self) -> str:
        return self.company.company

    @property
    def account(self) -> str:
        return self.company.cin7_account

    def finding(self, code: str, field: str, value: str, *, message: str, remedy: str) -> Finding:
        """Return a finding about this company, fit to be stored and shown."""
        return Finding(
            code=code,
            field=shown(field),
            value=shown(value),
            message=escaped(message),
            remedy=escaped(remedy),
            company=shown(self.code),
        )


def destination_of(company: str, rules: Rules) -> Destination | Finding:
    """Return where documents of `company` go, or why that is not known; never a guess."""
    row = rules.tables.companies.get(company)
    if row is None:
        return _unmapped(
            company,
            f"Company {shown(company)} is not in the table companies.",
            f"Add company {shown(company)} with its Cin7 account to the table companies.",
        )
    settings = rules.cin7.get(row.cin7_account)
    reference = rules.reference.get(row.cin7_account)
    if settings is None or reference is None:
        lack = "is not named in the settings" if settings is None else "has not been read yet"
        return _unmapped(
            company,
            f"Company {shown(company)} goes to Cin7 account {shown(row.cin7_account)}, which {lack}.",
            f"Add a section [cin7.{shown(row.cin7_account)}] to the settings, or correct the table companies.",
        )
    return Destination(row, settings, reference)


def _unmapped(company: str, message: str, remedy: str) -> Finding:
    return Finding(
        code="company.unmapped",
        field="Company",
        value=shown(company),
        message=message,
        remedy=remedy,
        company=shown(company),
    )
