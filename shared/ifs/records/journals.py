"""A voucher of the hold table as IFS holds it: its key, its date, its rows.

Names follow docs/apis/ifs.md#vouchers; "Debet" is IFS's own spelling.
"""

from decimal import Decimal

import msgspec


class VoucherRow(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`debet_amount` and `credit_amount` are in the company's currency; one of them is set, negative to correct.

    Attributes:
        company: of the row, where it says so; the voucher's otherwise.
        account: code part A; `code_b` to `code_j` are the others.
    """

    company: str | None = None
    row_no: int
    account: str | None = None
    code_b: str | None = None
    code_c: str | None = None
    code_d: str | None = None
    code_e: str | None = None
    code_f: str | None = None
    code_g: str | None = None
    code_h: str | None = None
    code_i: str | None = None
    code_j: str | None = None
    debet_amount: Decimal | None = None
    credit_amount: Decimal | None = None
    currency_code: str | None = None
    currency_debet_amount: Decimal | None = None
    currency_credit_amount: Decimal | None = None
    quantity: Decimal | None = None
    text: str | None = None


class Voucher(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "company": "Company",
        "accounting_year": "AccountingYear",
        "voucher_type": "VoucherType",
        "voucher_no": "VoucherNo",
        "voucher_date": "VoucherDate",
    },
):
    """The number starts anew each year and for each type, so that only all four fields name a voucher."""

    company: str
    accounting_year: int
    voucher_type: str
    voucher_no: int
    voucher_date: str
    rows: tuple[VoucherRow, ...]

    @property
    def key(self) -> str:
        return f"{self.company}/{self.accounting_year}/{self.voucher_type}/{self.voucher_no}"
