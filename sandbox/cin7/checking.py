"""Checks of single fields in request bodies; every one adds its problem to a list instead of raising."""

from decimal import Decimal

from sandbox.cin7.company import Company
from sandbox.cin7.errors import Problem, not_in_book
from sandbox.cin7.wire import Json, number, rounded

PRICE_PLACES = 4
DISCOUNT_PLACES = 2


class Checker:
    """Reads the fields of one JSON object and collects what is wrong with them."""

    def __init__(self, problems: list[Problem], *, truncates: bool, four_places: bool) -> None:
        self.problems = problems
        self._truncates = truncates
        self._four_places = four_places

    def say(self, text: str) -> None:
        self.problems.append(Problem(text))

    def text(self, body: Json, name: str, longest: int, *, required: bool = False) -> str:
        """Return a text, `""` where it is missing or null; numbers count as text."""
        value = body.get(name)
        if value is None or value == "":
            if required:
                self.say(f"Required attribute {name} is not provided.")
            return ""
        if isinstance(value, bool | list | dict):
            self.say(f"{name} is invalid")
            return ""
        text = str(value)
        if len(text) > longest:
            if not self._truncates:
                self.say(f"{name} length should not exceed {longest} characters.")
            return text[:longest]
        return text

    def flag(self, body: Json, name: str, *, required: bool = False) -> bool:
        value = body.get(name)
        if value is None:
            if required:
                self.say(f"Required property '{name}' not found")
            return False
        if not isinstance(value, bool):
            self.say(f"{name} is invalid")
            return False
        return value

    def amount(
        self,
        body: Json,
        name: str,
        *,
        places: int = PRICE_PLACES,
        required: bool = False,
        default: Decimal | None = None,
    ) -> Decimal | None:
        """Return a number with its surplus decimal places rounded away unannounced; text is no number."""
        value = body.get(name)
        if value is None:
            if required:
                self.say(f"Required property '{name}' not found")
            return default
        exact = number(value)
        if exact is None:
            self.say(f"{name} is invalid")
            return default
        exact = rounded(exact, places)
        return exact.quantize(Decimal("0.0001")) if self._four_places else exact

    def percent(self, body: Json, name: str) -> Decimal | None:
        value = self.amount(body, name, places=DISCOUNT_PLACES)
        if value is not None and not 0 <= value <= 100:
            self.say(f"{name} should be between 0 and 100.")
            return None
        return value


def checker(company: Company, problems: list[Problem]) -> Checker:
    return Checker(
        problems,
        truncates=company.switches["too_long"] == "truncate",
        four_places=company.switches["decimal_style"] == "four",
    )


def check_term(company: Company, problems: list[Problem], name: str) -> None:
    """Inactive payment terms are listed too, and refused on use."""
    row = company.find("terms", name)
    if row is None or not row["IsActive"]:
        problems.append(Problem(f"Active payment term with name {name} was not found in Payment Terms reference book"))


def check_tax_rule(company: Company, problems: list[Problem], name: str) -> Json | None:
    row = company.find("taxes", name)
    if row is None or not row["IsActive"]:
        problems.append(not_in_book("Tax rule", name, "Tax Rules"))
        return None
    return row


def check_account(company: Company, problems: list[Problem], code: str) -> Json | None:
    """Return the active account with that code, as written. Source: docs/apis/cin7.md#chart-of-accounts."""
    row = company.find("chart", code)
    if row is None or row["Code"] != code or row["Status"] != "ACTIVE":
        problems.append(not_in_book("Account", code, "Chart of Accounts"))
        return None
    return row


def check_payable(company: Company, problems: list[Problem], code: str) -> None:
    """Another liability of the same type and class is refused; the code counts as written."""
    row = company.find("chart", code)
    if row is None or row["Code"] != code or row["SystemAccountCode"] != "CREDITORS" or row["Status"] != "ACTIVE":
        problems.append(not_in_book("Accounts payable account", code, "Chart of Accounts"))
