"""IFS GL account to an account that exists and is ACTIVE in the chart of the company's Cin7 account. Pure."""

from shared.config.rules import Rules
from shared.findings import Finding
from workers.mapping.companies import Destination
from workers.mapping.texts import shown


def cin7_code_of(destination: Destination, ifs_account: str, rules: Rules, *, field: str) -> str | Finding:
    """Return the Cin7 code of `ifs_account`, or the reason why it cannot be used.

    Args:
        destination: whose company and chart are asked.
        ifs_account: empty where a line that needs an account has none.
        rules: the table `accounts` comes first; without a row the setting decides between the same code and a hold.
        field: names the line, such as `line 1/1 AccountNo`.
    """
    company = destination.code
    if not ifs_account:
        message = f"No account is coded at {field} of company {company}."
        remedy = "Code the line to an account in IFS."
        return destination.finding("account.missing", field, "", message=message, remedy=remedy)
    code = rules.tables.accounts.get((company, ifs_account))
    if code is None:
        if rules.policy.accounts == "explicit":
            message = f"Account {shown(ifs_account)} of company {company} is not in the table accounts ({field})."
            remedy = f"Add company {company}, account {shown(ifs_account)} to the table accounts."
            return destination.finding("account.unmapped", field, ifs_account, message=message, remedy=remedy)
        code = ifs_account
    return _in_chart(destination, code, ifs_account, field) or code


def payable_account_of(destination: Destination) -> str | Finding:
    """Return the company's payable account, or why Cin7 would refuse it on a supplier."""
    company, code = destination.code, destination.company.payable_account
    field = "payable_account"
    remedy = f"Name an active accounts payable account for company {company} in the table companies."
    if not code:
        message = f"The table companies names no payable account for company {company}."
        return destination.finding("account.missing", field, "", message=message, remedy=remedy)
    if finding := _in_chart(destination, code, code, field):
        return finding
    if not destination.reference.accounts[code].payable:
        message = f"Account {shown(code)} in Cin7 account {destination.account} is not an accounts payable account."
        return destination.finding("account.missing", field, code, message=message, remedy=remedy)
    return code


def _in_chart(destination: Destination, code: str, ifs_account: str, field: str) -> Finding | None:
    """Return a finding unless `code` is in the chart and ACTIVE."""
    held = destination.reference.accounts.get(code)
    company = destination.code
    origin = "" if code == ifs_account else f" (IFS account {shown(ifs_account)})"
    name = f"Account {shown(code)}{origin}"
    if held is None:
        message = f"{name} is not in the chart of Cin7 account {destination.account} ({field}, company {company})."
        remedy = f"Add account {shown(code)} in Cin7, or map the IFS account to another in the table accounts."
        return destination.finding("account.missing", field, code, message=message, remedy=remedy)
    if not held.active:
        message = (
            f"{name} is {shown(held.status) or 'without status'} in Cin7 account {destination.account}, "
            f"not ACTIVE ({field}, company {company})."
        )
        remedy = f"Activate account {shown(code)} in Cin7, or map the IFS account to another in the table accounts."
        return destination.finding("account.inactive", field, code, message=message, remedy=remedy)
    return None
