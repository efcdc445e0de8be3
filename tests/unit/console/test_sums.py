"""How much money causes hold."""

from decimal import Decimal

import msgspec

from console.sums import sums_of
from shared.config.settings import StreamSettings
from shared.ifs.records.purchase_orders import SOURCE
from shared.ledger.views.holds import HeldBody

BOUND = SOURCE.bound(StreamSettings())


def body(
    cause: int, entry: int, *lines: dict[str, object], currency: str = "SEK", raw: bytes | None = None
) -> HeldBody:
    header = {"OrderNo": f"{entry}", "VendorNo": "S1", "CurrencyCode": currency, "Objstate": "Released"}
    document = {
        "header": header,
        "lines": [
            {"OrderNo": f"{entry}", "LineNo": f"{number}", "ReleaseNo": "1"} | line
            for number, line in enumerate(lines, 1)
        ],
        "code_parts": [],
    }
    return HeldBody(cause_id=cause, entry_id=entry, flow="purchase_orders", raw=msgspec.json.encode(document))


def line(quantity: object, price: object, **more: object) -> dict[str, object]:
    return {"BuyQtyDue": quantity, "BuyUnitPrice": price, **more}


def test_lines_are_added_up_by_cause_and_currency() -> None:
    found = sums_of(
        [
            body(1, 1, line(2, 10.5), line(1, 100, Discount=10)),
            body(1, 2, line(1, 5), currency="EUR"),
            body(2, 1, line(2, 10.5), line(1, 100, Discount=10)),
        ],
        BOUND,
    )
    assert found == {1: {"SEK": Decimal("111.00"), "EUR": Decimal("5.00")}, 2: {"SEK": Decimal("111.00")}}


def test_the_amount_that_ifs_states_comes_first() -> None:
    assert sums_of([body(1, 1, line(2, 10, NetAmtCurr=19.99))], BOUND) == {1: {"SEK": Decimal("19.99")}}


def test_what_cannot_be_decoded_or_is_no_number_is_left_out() -> None:
    assert sums_of([body(1, 1, line("lots", 1))], BOUND) == {}
    assert sums_of([body(1, 1, line(1, 1e25), line(1, 2))], BOUND) == {1: {"SEK": Decimal("2.00")}}
