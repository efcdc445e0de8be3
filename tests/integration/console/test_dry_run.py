"""`poll --dry-run`: what would be written, and nothing is."""

from typing import Any

from tests.integration.console.installation import Installation

TABLES = ("poll", "entry", "record", "event", "message", "effect", "link", "watermark", "lease", "cause", "finding")


def rows_of(site: Installation) -> dict[str, int]:
    return {table: site.worker.ledger.rows(f"select count(*) from {table}")[0][0] for table in TABLES}  # noqa: S608


def field(preview: dict[str, Any], name: str) -> tuple[str, str]:
    found = next(field for field in preview["fields"] if field["field"] == name)
    return found["from"], found["to"]


def test_a_dry_run_records_and_sends_nothing(site: Installation) -> None:
    before = rows_of(site)
    previews = site.json("poll", "--dry-run", code=3)
    assert rows_of(site) == before
    assert site.writes() == []
    assert [(one["flow"], one["action"]) for one in previews] == [("suppliers", "create")] * 3 + [
        ("purchase_orders", "held")
    ] * 4
    assert field(previews[0], "Name") == ("", "Plain Supplier 0 AB")
    assert field(previews[0], "Addresses[Storgatan 1].City") == ("", "Göteborg")
    finding = previews[3]["findings"][0]
    assert (finding["code"], finding["value"]) == ("account.missing", "9999")
    assert site.json("poll")[0]["changed"] == 3


def test_an_amendment_is_shown_field_by_field(site: Installation) -> None:
    site("poll", "suppliers")
    site.work()
    calls = site.cin7_calls()
    assert site.json("poll", "suppliers", "--dry-run") == []
    site.edit("SupplierInfoGeneralSet", patch=[{"SupplierId": "S000001", "Name": "Renamed AB"}])
    previews = site.json("poll", "suppliers", "--dry-run")
    assert previews == [
        {
            "flow": "suppliers",
            "key": "S000001",
            "account": "main",
            "action": "update",
            "fields": [{"field": "Name", "from": "Plain Supplier 1 AB", "to": "Renamed AB"}],
            "findings": [],
        }
    ]
    assert site.cin7_calls() == calls
    code, out, _ = site("poll", "suppliers", "--dry-run")
    assert (code, "Renamed AB" in out, "Would be: 1 update." in out) == (0, True, True)


def test_a_vendor_that_is_there_already_is_not_shown_as_new(site: Installation) -> None:
    vendor = {"Name": "Plain Supplier 1 AB", "Currency": "SEK", "PaymentTerm": "30 days", "AccountPayable": "2440",
              "TaxRule": "Purchases 25%", "Status": "Active", "TaxNumber": ""}  # fmt: skip
    site.edit_in_cin7(**vendor)
    previews = site.json("poll", "suppliers", "--dry-run", code=3)
    actions = {one["key"]: one["action"] for one in previews}
    assert actions["S000001"] == "held"
    reasons = next(one["findings"] for one in previews if one["key"] == "S000001")
    assert reasons[0]["code"] == "supplier.possible-duplicate"


def test_orders_that_nothing_holds_are_shown_with_their_lines(site: Installation) -> None:
    file = site.folder / "more.csv"
    file.write_text("company,ifs_account,cin7_code\n10,9999,4010\n")
    site("mappings", "import", "accounts", str(file))
    site("poll", "suppliers")
    site.work()
    previews = site.json("poll", "purchase_orders", "--dry-run")
    assert [one["action"] for one in previews] == ["create"] * 4
    names = [changed["field"] for changed in previews[0]["fields"]]
    assert "Purchase.Note" in names
    assert any(name.startswith("Order.Lines[1000000/1/1") and name.endswith(".Quantity") for name in names)
    assert any(name.startswith("Order.AdditionalCharges[1000000/3/1") for name in names)
    site("poll", "purchase_orders")
    site.work()
    site.edit("PurchaseOrderSet", patch=[{"OrderNo": "1000000", "Objstate": "Cancelled"}])
    previews = site.json("poll", "purchase_orders", "--dry-run")
    assert [(one["key"], one["action"]) for one in previews] == [("1000000", "void")]


def test_an_edit_in_cin7_is_shown_as_the_fields_of_the_rows_that_ifs_keeps_it_in(site: Installation) -> None:
    site("poll", "suppliers")
    site.work()
    site("poll", "cin7_suppliers")
    site.work()
    assert site.json("poll", "cin7_suppliers", "--dry-run") == []
    vendor = site.cin7_id("S000001")
    site.edit_in_cin7(ID=vendor, Name="Renamed AB")
    before = rows_of(site)
    (preview,) = site.json("poll", "cin7_suppliers", "--dry-run")
    assert preview == {
        "flow": "cin7_suppliers",
        "key": f"main/{vendor}",
        "account": "main",
        "action": "update",
        "fields": [{"field": "header.name", "from": "Plain Supplier 1 AB", "to": "Renamed AB"}],
        "findings": [],
    }
    file = site.folder / "more.csv"
    file.write_text("company,ifs_term,cin7_term\n10,61,60 days\n")
    site("mappings", "import", "payment_terms", str(file))
    site.edit_in_cin7(ID=vendor, Name="Renamed AB", PaymentTerm="60 days")
    (preview,) = site.json("poll", "cin7_suppliers", "--dry-run", code=3)
    assert [finding["code"] for finding in preview["findings"]] == ["term.unmapped"]
    assert rows_of(site) == before


def test_a_vendor_that_ifs_does_not_know_is_shown_as_held_once_it_is_new(site: Installation) -> None:
    stranger = {"Name": "Stranger", "Currency": "SEK", "PaymentTerm": "30 days", "AccountPayable": "2440",
                "TaxRule": "Purchases 25%", "Status": "Active"}  # fmt: skip
    site.edit_in_cin7(**stranger)
    assert site.json("poll", "cin7_suppliers", "--dry-run") == []
    site("poll", "cin7_suppliers")
    site.edit_in_cin7(**stranger | {"Name": "Newcomer"})
    (preview,) = site.json("poll", "cin7_suppliers", "--dry-run", code=3)
    assert [finding["code"] for finding in preview["findings"]] == ["supplier.unknown"]
