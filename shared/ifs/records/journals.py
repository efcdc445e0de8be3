"""A voucher of the hold table as IFS holds it: its key, its date, its rows.

IFS serves rows only: those that share a key are one voucher. Names follow docs/apis/ifs.md#vouchers; "Debet" is IFS's
own spelling.
"""

from decimal import Decimal
from typing import Final

import msgspec

from shared.ifs.sources import SetSource, Source


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


class VoucherHead(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What all rows of a voucher say alike; `voucher_date` is a text as IFS sends it."""

    company: str
    accounting_year: int
    voucher_type: str
    voucher_no: int
    voucher_date: str | None = None


class VoucherDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order of their numbers; the header is the first of them."""

    header: VoucherHead
    rows: tuple[VoucherRow, ...] = ()

    @property
    def voucher(self) -> Voucher:
        header = self.header
        return Voucher(
            company=header.company,
            accounting_year=header.accounting_year,
            voucher_type=header.voucher_type,
            voucher_no=header.voucher_no,
            voucher_date=header.voucher_date or "",
            rows=self.rows,
        )


_KEY: Final = ("company", "accounting_year", "voucher_type", "voucher_no")
_SERVICE: Final = "VoucherRowsAnalysis"
_ROWS: Final = "VoucherRowSet"
#: Where a verdict is written to: the headers, which have the custom fields.
VERDICT: Final = "verdict"

#: Services and sets: docs/apis/ifs.md#vouchers. There is no time of last change, and no unit in the history log.
SOURCE: Final = Source(
    flow="journals",
    document=VoucherDocument,
    header=SetSource(name="header", service=_SERVICE, entity_set=_ROWS, shape=VoucherHead, key=_KEY),
    children=(SetSource(name="rows", service=_SERVICE, entity_set=_ROWS, shape=VoucherRow, key=("row_no",)),),
    date="voucher_date",
    further=(SetSource(name=VERDICT, service="VoucherEntity", entity_set="VoucherSet", shape=VoucherHead, key=_KEY),),
    grouped="rows",
)
