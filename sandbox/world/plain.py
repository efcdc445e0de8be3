"""Large worlds for benchmarks: many records of the same simple make, none of them wrong."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sandbox.world.books_ground import PAYABLE
from sandbox.world.expected import APPLIED
from sandbox.world.ground import BY_CODE, PARTS, Row, tables
from sandbox.world.ordering import LAST_DAY, START_FROM
from sandbox.world.seeds import cin7_seed, credentials, ifs_seed
from sandbox.world.worlds import World

_COMPANY: Final = BY_CODE["10"]
_FIRST_ORDER: Final = 1_000_000
_CODING: Final = 500_000
_FIRST_VOUCHER: Final = 2_600_001


def build_plain_world(
    suppliers: int = 100,
    orders: int = 1000,
    *,
    part_lines: int = 2,
    coded_lines: int = 1,
    account: str = "",
    vouchers: int = 0,
    voucher_rows: int = 20,
    children: bool = True,
    ifs_switches: Mapping[str, Any] | None = None,
    cin7_limit: Mapping[str, Any] | None = None,
) -> World:
    """Return a world of company 10 only, in which everything is applied.

    Args:
        part_lines: lines with a part in every order.
        coded_lines: lines coded to the general ledger in every order.
        account: of all coded lines; empty: they vary. `9999` is the one that Cin7 lacks.
        vouchers: of the hold table, all of which may be posted.
        voucher_rows: in each of them.
        children: False leaves suppliers with nothing but their header, for scans.
        cin7_limit: see `build_world`; None: no limit at all.
    """
    seed = ifs_seed((), (), switches=ifs_switches, companies=("10",))
    seed["rate"] = {"calls": 10_000_000, "window_s": 60}
    sets: dict[str, list[Row]] = seed["sets"]
    sets["SupplierInfoGeneralSet"] = [_header(number) for number in range(suppliers)]
    if children:
        sets |= _children(suppliers)
    sets["PurchaseOrderSet"] = [_order(number, suppliers) for number in range(orders)]
    sets["PurchaseOrderLineSet"] = [
        _line(number, place, place >= part_lines)
        for number in range(orders)
        for place in range(part_lines + coded_lines)
    ]
    sets["PreAccountingSet"] = _codings(orders, range(part_lines, part_lines + coded_lines), account)
    sets["VoucherSet"] = [_voucher(number) for number in range(vouchers)]
    sets["VoucherRowSet"] = [
        _voucher_row(number, place, voucher_rows) for number in range(vouchers) for place in range(1, voucher_rows + 1)
    ]
    return World(
        ifs_seed=seed,
        cin7_seed=cin7_seed({}, cin7_limit or {"calls": 0}),
        tables=tables(),
        credentials=credentials(),
        expected={
            "suppliers": {row["SupplierId"]: APPLIED for row in sets["SupplierInfoGeneralSet"]},
            "purchase_orders": {row["OrderNo"]: APPLIED for row in sets["PurchaseOrderSet"]},
            "journals": {_voucher_key(row): APPLIED for row in sets["VoucherSet"]},
        },
        start_from=START_FROM.isoformat(),
    )


def _supplier_id(number: int) -> str:
    return f"S{number:06d}"


def _header(number: int) -> Row:
    return {
        "SupplierId": _supplier_id(number),
        "Name": f"Plain Supplier {number} AB",
        "AssociationNo": f"556{number:07d}",
        "Country": "SE",
        "CreationDate": "2020-01-01",
        "PartyType": "Supplier",
        "SupplierCategory": "Supplier",
    }


def _children(suppliers: int) -> dict[str, list[Row]]:
    ids = [_supplier_id(number) for number in range(suppliers)]
    return {
        "SupplierInfoAddressSet": [
            {
                "SupplierId": one,
                "AddressId": "1",
                "Address1": "Storgatan 1",
                "ZipCode": "41101",
                "City": "Göteborg",
                "Country": "SE",
            }
            for one in ids
        ],
        "SupplierInfoAddressTypeSet": [
            {"SupplierId": one, "AddressId": "1", "AddressTypeCode": "Document", "DefAddress": True} for one in ids
        ],
        "CommMethodSet": [
            {
                "PartyType": "Supplier",
                "Identity": one,
                "CommId": 1,
                "AddressId": "1",
                "MethodId": "Phone",
                "Value": f"+46 31 {one[1:]}",
            }
            for one in ids
        ],
        "IdentityInvoiceInfoSet": [
            {
                "Company": _COMPANY.code,
                "Identity": one,
                "PartyType": "Supplier",
                "DefCurrency": "SEK",
                "PayTermId": "30",
                "DefVatCode": "I25",
            }
            for one in ids
        ],
        "SupplierDocumentTaxInfoSet": [
            {"SupplierId": one, "AddressId": "1", "Company": _COMPANY.code, "VatNo": f"SE{one[1:]}01"} for one in ids
        ],
    }


def _order(number: int, suppliers: int) -> Row:
    # A few orders share each second, as after an import.
    changed = datetime(START_FROM.year, START_FROM.month, START_FROM.day, 8) + timedelta(seconds=number // 3)  # noqa: DTZ001  # A wall clock.
    return {
        "OrderNo": str(_FIRST_ORDER + number),
        "VendorNo": _supplier_id(number % suppliers),
        "Contract": "S10",
        "Company": _COMPANY.code,
        "CurrencyCode": "SEK",
        "OrderDate": f"{LAST_DAY}T00:00:00Z",
        "DateEntered": f"{changed.isoformat()}Z",
        "ChangeDate": f"{changed.isoformat()}Z",
        "WantedReceiptDate": f"{LAST_DAY}T00:00:00Z",
        "PayTermId": "30",
        "UsePriceInclTax": False,
        "Objstate": "Released",
    }


def _line(number: int, place: int, coded: bool) -> Row:  # One of two kinds of line.
    part = PARTS[(number + place) % len(PARTS)]
    return {
        "OrderNo": str(_FIRST_ORDER + number),
        "LineNo": str(place + 1),
        "ReleaseNo": "1",
        "PartNo": None if coded else part.part_no,
        "Description": "Services" if coded else part.name,
        "Contract": "S10",
        "BuyQtyDue": Decimal(1 + number % 9),
        "BuyUnitMeas": "pcs",
        "BuyUnitPrice": Decimal(100 + place) if coded else part.price,
        "Discount": Decimal(0),
        "CurrencyCode": "SEK",
        "LastActivityDate": f"{START_FROM}T08:00:00Z",
        "TaxCode": "I25",
        "PreAccountingId": _CODING + number * 10 + place if coded else None,
        "Objstate": "Released",
    }


def _codings(orders: int, places: range, account: str) -> list[Row]:
    codes = _COMPANY.codings
    return [
        {
            "PreAccountingId": _CODING + number * 10 + place,
            "Company": _COMPANY.code,
            "AccountNo": account or codes[(number + place) % len(codes)],
            "CodenoB": _COMPANY.cost_centres[number % len(_COMPANY.cost_centres)],
        }
        for number in range(orders)
        for place in places
    ]


def _voucher(number: int) -> Row:
    return {
        "Company": _COMPANY.code,
        "AccountingYear": LAST_DAY.year,
        "VoucherType": "M",
        "VoucherNo": _FIRST_VOUCHER + number,
        "VoucherDate": LAST_DAY.isoformat(),
        "VoucherUpdated": False,
        "Objstate": "Confirmed",
    }


def _voucher_key(row: Row) -> str:
    return "/".join(str(row[name]) for name in ("Company", "AccountingYear", "VoucherType", "VoucherNo"))


def _voucher_row(number: int, place: int, rows: int) -> Row:
    """Return one row: the last of a voucher is the credit of all others."""
    key = {name: value for name, value in _voucher(number).items() if name not in ("VoucherUpdated", "Objstate")}
    amounts = [Decimal(10_000 + 37 * (number + one) % 9_000).scaleb(-2) for one in range(1, rows)]
    is_last = place == rows
    return {
        **key,
        "RowNo": place,
        "EntryDate": LAST_DAY.isoformat(),
        "Account": PAYABLE[_COMPANY.code] if is_last else _COMPANY.codings[(number + place) % len(_COMPANY.codings)],
        "CodeB": None if is_last else _COMPANY.cost_centres[number % len(_COMPANY.cost_centres)],
        "CurrencyCode": _COMPANY.currency,
        "DebetAmount": None if is_last else amounts[place - 1],
        "CreditAmount": sum(amounts) if is_last else None,
        "CurrencyRate": 1,
        "Text": "Month end",
    }
