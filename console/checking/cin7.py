"""What is tried in one Cin7 account: the company, its reference data, and what the mapping tables say of it."""

from collections.abc import Iterable, Iterator
from typing import Final

from console.checking.results import Check, Refused, Said, failed, passed, warned
from shared.cin7 import reference
from shared.cin7.answers import text
from shared.cin7.client import Cin7Client
from shared.cin7.errors import Cin7Denied
from shared.config.rules import ChartAccount, Company, Tables, TaxRule, Term
from shared.config.settings import Cin7Settings
from shared.errors import Retryable

LANE: Final = "live"
#: Names shown of a long list.
_SHOWN: Final = 5


class Account:
    """What the checks of one account stand on; each kind of reference data is read once.

    Attributes:
        companies: those whose documents go here.
    """

    def __init__(self, name: str, client: Cin7Client, settings: Cin7Settings, tables: Tables) -> None:
        self.name = name
        self.client = client
        self.settings = settings
        self.tables = tables
        self.companies = [row for row in tables.companies.values() if row.cin7_account == name]
        self.chart: dict[str, ChartAccount] = {}
        self.terms: dict[str, Term] = {}
        self.tax_rules: dict[str, TaxRule] = {}
        self.locations: frozenset[str] = frozenset()

    @property
    def codes(self) -> set[str]:
        """The companies' codes."""
        return {row.company for row in self.companies}


def me(account: Account) -> Iterator[Said]:
    try:
        company = account.client.me(lane=LANE)
    except Cin7Denied as error:
        remedy = f"Store them again with `connector credentials set cin7 {account.name}`."
        raise Refused("Cin7 refused the account id or an application key.", remedy) from error
    except Retryable as error:
        raise Refused(str(error), f"Look at the network, and at base_url in section [cin7.{account.name}].") from error
    lock = text(company, "LockDate")
    yield passed(
        f"The account is {text(company, 'Company')!r} in {text(company, 'Currency') or 'no currency'}, "
        + (f"locked up to {lock[:10]}." if lock else "with no lock date.")
    )


def chart(account: Account) -> Iterator[Said]:
    account.chart = reference.read_accounts(account.client, LANE)
    active = sum(one.active for one in account.chart.values())
    yield _counted("accounts", len(account.chart), f"{active} of them active")


def terms(account: Account) -> Iterator[Said]:
    account.terms = reference.read_terms(account.client, LANE)
    yield _counted("payment terms", len(account.terms))


def tax_rules(account: Account) -> Iterator[Said]:
    account.tax_rules = reference.read_tax_rules(account.client, LANE)
    yield _counted("tax rules", len(account.tax_rules))


def locations(account: Account) -> Iterator[Said]:
    account.locations = reference.read_locations(account.client, LANE)
    yield _counted("locations", len(account.locations))


def products(account: Account) -> Iterator[Said]:
    """Read the first page; all of them are read when the first order needs them."""
    total = account.client.products_page(1, lane=LANE).total
    if total:
        yield _counted("products", total)
    else:
        yield warned("Cin7 holds no product.", "Orders with part lines are held until their products are there.")


def suppliers(account: Account) -> Iterator[Said]:
    total, _ = account.client.suppliers_page(1, limit=1, lane=LANE)
    yield passed(f"The list of suppliers can be read ({total}).")


def _counted(what: str, count: int, more: str = "") -> Said:
    if not count:
        return failed(f"Cin7 shows no {what}.", f"Set up {what} in Cin7.")
    return passed(f"{count} {what}{f', {more}' if more else ''}.")


def attribute_set(account: Account) -> Iterator[Said]:
    wanted = account.settings.attribute_set
    if not wanted:
        yield passed("No attribute set is asked for.")
        return
    names = {text(row, "Name") for row in account.client.attribute_sets(lane=LANE)}
    if wanted in names:
        yield passed(f"The attribute set {wanted!r} is there.")
    else:
        remedy = f"Create it in Cin7, or correct attribute_set in section [cin7.{account.name}]."
        yield failed(f"There is no attribute set {wanted!r}.", remedy)


def companies(account: Account) -> Iterator[Said]:
    """Check what the table companies says about this account."""
    if not account.companies:
        remedy = f"Give it a row in the table companies, or take section [cin7.{account.name}] out of the settings."
        yield warned("No company goes to this account.", remedy)
        return
    for row in account.companies:
        problems = [*_payable(row, account), *_rule(row, account), *_location(row.company, row.location, account)]
        yield from problems
        if not problems:
            yield passed(f"Company {row.company}: payable account, tax rule and location are there.")
    if len(account.companies) > 1 and not any(row.lead for row in account.companies):
        first = min(account.codes)
        remedy = "Write lead = yes for the company whose terms and currency suppliers are to have."
        yield warned(f"No company leads; {first} does as the first by its code.", remedy)


def _payable(row: Company, account: Account) -> Iterator[Said]:
    code = row.payable_account
    remedy = f"Name an active accounts payable account for company {row.company} in the table companies."
    known = account.chart.get(code)
    if not code:
        yield failed(f"Company {row.company} has no payable account.", remedy)
    elif known is None:
        yield failed(f"Company {row.company}: payable account {code} is not in the chart.", remedy)
    elif not known.active:
        yield failed(f"Company {row.company}: payable account {code} is {known.status or 'not active'}.", remedy)
    elif not known.payable:
        yield failed(f"Company {row.company}: account {code} is not an accounts payable account.", remedy)


def _rule(row: Company, account: Account) -> Iterator[Said]:
    remedy = f"Name an active tax rule for purchases for company {row.company} in the table companies."
    if not row.tax_rule:
        yield warned(f"Company {row.company} has no tax rule for what IFS leaves without a tax code.", remedy)
    elif problem := _rule_problem(row.tax_rule, account):
        yield failed(f"Company {row.company}: {problem}.", remedy)


def _rule_problem(name: str, account: Account) -> str:
    rule = account.tax_rules.get(name)
    if rule is None:
        return f"there is no tax rule {name!r}"
    if not rule.active:
        return f"tax rule {name!r} is not active"
    return "" if rule.for_purchase else f"tax rule {name!r} is not for purchases"


def _location(where: str, name: str, account: Account) -> Iterator[Said]:
    if name and name not in account.locations:
        remedy = f"Add it in Cin7, or correct the location of {where} in the tables companies and sites."
        yield failed(f"{where}: there is no location {name!r}.", remedy)


def mappings(account: Account) -> Iterator[Said]:
    """Check what the other mapping tables say about this account."""
    yield from _of_table("sites", _site_problems(account))
    yield from _of_table("accounts", _account_problems(account))
    yield from _of_table("payment_terms", _term_problems(account))
    yield from _of_table("tax_codes", _tax_problems(account))


def _of_table(table: str, problems: Iterable[str]) -> Iterator[Said]:
    found = sorted(problems)
    if not found:
        yield passed(f"Everything that the table {table} names is there.")
        return
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    remedy = f"Add or activate them in Cin7, or import a corrected table {table}."
    yield failed(f"The table {table} names what is not there: {'; '.join(found[:_SHOWN])}{more}.", remedy)


def _site_problems(account: Account) -> Iterator[str]:
    for site in account.tables.sites.values():
        if site.company in account.codes and site.location and site.location not in account.locations:
            yield f"location {site.location!r} (site {site.site})"


def _account_problems(account: Account) -> Iterator[str]:
    for (company, ifs_account), code in account.tables.accounts.items():
        if company not in account.codes:
            continue
        known = account.chart.get(code)
        if known is None or not known.active:
            state = "missing" if known is None else known.status or "not active"
            yield f"account {code} is {state} (company {company}, IFS account {ifs_account})"


def _term_problems(account: Account) -> Iterator[str]:
    for (company, ifs_term), name in account.tables.payment_terms.items():
        term = account.terms.get(name)
        if company in account.codes and (term is None or not term.active):
            yield f"term {name!r} is {'missing' if term is None else 'not active'} (company {company}, {ifs_term})"


def _tax_problems(account: Account) -> Iterator[str]:
    for (company, code), rule in account.tables.tax_codes.items():
        if company in account.codes and (problem := _rule_problem(rule.cin7_tax_rule, account)):
            yield f"{problem} (company {company}, code {code})"


def budget(account: Account) -> Iterator[Said]:
    used = account.client.budget.used()
    calls = sum(key.used for key in used)
    limit = f"{account.settings.calls_per_minute} calls in {account.settings.window_s:g} s"
    closed = [key.key for key in used if key.closed_s > 0]
    if closed:
        yield warned(
            f"Cin7 refused {', '.join(closed)} for its rate a moment ago.",
            f"If other programs use the same key, lower calls_per_minute in section [cin7.{account.name}].",
        )
    else:
        yield passed(f"{len(used)} application keys, {limit} each; {calls} used just now.")


CHECKS: Final[tuple[Check[Account], ...]] = (
    ("company", me),
    ("chart of accounts", chart),
    ("payment terms", terms),
    ("tax rules", tax_rules),
    ("locations", locations),
    ("products", products),
    ("suppliers", suppliers),
    ("attribute set", attribute_set),
    ("companies", companies),
    ("mapping tables", mappings),
    ("call budget", budget),
)
