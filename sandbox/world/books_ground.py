"""What invoices and vouchers need beyond the ground: accounts, a company out of sight, a locked period. Made up."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sandbox.world.ground import BY_CODE, MAPPED, Account, Row, cin7_account_row, ifs_account_row

#: Go-live of invoices and vouchers.
BOOKS_FROM: Final = date(2025, 3, 1)
#: Cin7's lock date: no invoice may be dated up to it.
LOCK_DATE: Final = date(2025, 3, 31)
#: Account of company 10 that no table maps and Cin7 does not know under its own code either.
UNMAPPED_ACCOUNT: Final = "7999"
#: Account of company 10 that is active in Cin7, but valid in IFS up to `EXPIRED_ON` only.
EXPIRED_ACCOUNT: Final = "5021"
EXPIRED_ON: Final = date(2025, 5, 31)
#: A company of IFS that the connector's client is not granted.
HIDDEN_COMPANY: Final = "40"

#: Accounts by company, beside those that orders are coded to.
MORE_ACCOUNTS: Final[Mapping[str, tuple[Account, ...]]] = {
    "10": (
        Account(code="1460", name="Stock of goods", cin7="1410", coded=False),
        Account(code="1930", name="Bank", cin7="1930", coded=False),
        Account(code="2640", name="Input tax", cin7="820", coded=False),
        Account(code="2990", name="Accrued expenses", cin7="2990", coded=False),
        Account(
            code=EXPIRED_ACCOUNT,
            name="Electricity, old contract",
            cin7=EXPIRED_ACCOUNT,
            coded=False,
            valid_until=EXPIRED_ON.isoformat(),
        ),
        Account(code=UNMAPPED_ACCOUNT, name="Suspense", cin7="", coded=False),
    ),
    "20": (
        Account(code="090", name="Business bank account", cin7="090", coded=False),
        Account(code="630", name="Stock", cin7="1410", coded=False),
        Account(code="814", name="Accruals", cin7="814", coded=False),
        Account(code="820", name="VAT", cin7="820", coded=False),
    ),
}
#: What invoices and vouchers post to besides cost, by company.
STOCK: Final = {"10": "1460", "20": "630", "30": "4300"}
TAX: Final = {"10": "2640", "20": "820", "30": "4300"}
PAYABLE: Final = {"10": "2440", "20": "800", "30": "4300"}
BANK: Final = {"10": "1930", "20": "090", "30": "4300"}
ACCRUED: Final = {"10": "2990", "20": "814", "30": "4300"}


def add_ground(ifs_sets: dict[str, list[Row]], cin7_seed: Mapping[str, Any], tables: dict[str, str]) -> None:
    """Add what invoices and vouchers need to both seeds and to the mapping tables."""
    ifs_sets["CompanySet"].append({"Company": HIDDEN_COMPANY, "Name": "Out of Sight Holding AB", "Country": "SE"})
    hidden = BY_CODE["10"].accounts[0]
    ifs_sets["AccountSet"].append(ifs_account_row(HIDDEN_COMPANY, hidden))
    mapped: list[str] = []
    for company, seed in zip(MAPPED, cin7_seed["accounts"], strict=True):
        more = MORE_ACCOUNTS[company.code]
        ifs_sets["AccountSet"] += [ifs_account_row(company.code, account) for account in more]
        known = {row["Code"] for row in seed["chart"]}
        seed["chart"] += [
            cin7_account_row(account.cin7, account.name, status=account.status, payable=False)
            for account in more
            if account.cin7 and account.cin7 not in known
        ]
        seed["company"]["LockDate"] = f"{LOCK_DATE}T00:00:00"
        mapped += [f"{company.code},{one.code},{one.cin7}\n" for one in more if one.cin7 not in ("", one.code)]
    tables["accounts"] += "".join(mapped)
