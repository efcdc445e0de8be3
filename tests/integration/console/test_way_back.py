"""Edits of suppliers in Cin7, as operators see and settle them."""

import re

from tests.integration.console.installation import Installation

HEADERS = "SupplierInfoGeneralSet"


def linked(site: Installation) -> str:
    """Bring the suppliers to Cin7, look at them there, and return the vendor of S000001."""
    site("poll", "suppliers")
    site.work()
    site("poll", "cin7_suppliers")
    site.work()
    return site.cin7_id("S000001")


def bring(site: Installation) -> None:
    site("poll", "suppliers", "cin7_suppliers")
    site.work()


def in_ifs(site: Installation, table: str, **key: str) -> dict[str, object]:
    """Return one row as the tenant holds it."""
    rows = site.ifs.tenant.store.table(table)
    shown = [dict(zip(rows.kind.names, row.values, strict=True)) for row in rows.rows.values()]
    return next(row for row in shown if all(row[name] == value for name, value in key.items()))


def test_a_conflict_is_shown_with_its_three_values_and_settled_by_name(site: Installation) -> None:
    vendor = linked(site)
    site.edit_in_cin7(ID=vendor, Name="From Cin7")
    site.edit(HEADERS, patch=[{"SupplierId": "S000001", "Name": "From IFS"}])
    bring(site)
    (hold,) = [one for one in site.json("holds") if one["flow"] in {"suppliers", "cin7_suppliers"}]
    (finding,) = hold["findings"]
    values = [finding[name] for name in ("field", "before", "ifs", "cin7")]
    assert values == ["name", "Plain Supplier 1 AB", "From IFS", "From Cin7"]
    _, out, _ = site("holds", "show", str(hold["id"]))
    assert all(value in out for value in ("Plain Supplier 1 AB", "From IFS", "From Cin7"))
    settled = site.json("holds", "resolve", str(hold["id"]), "--take", "cin7")
    assert (settled["take"], settled["fields"]) == ("cin7", {"main": ["name"]})
    assert hold["id"] in settled["replayed"]
    site.work()
    header = in_ifs(site, HEADERS, SupplierId="S000001")
    assert header["Name"] == "From Cin7"
    story = site("ledger", "show", hold["flow"], hold["key"])[1]
    assert "takes cin7 for main: name" in story


def test_what_is_not_held_cannot_be_resolved_and_says_so(site: Installation) -> None:
    linked(site)
    code, _, err = site("holds", "resolve", "1", "--take", "ifs")
    assert (code, err.strip()) == (1, "connector: Entry 1 is not held.")
    site("poll", "purchase_orders")
    site.work()
    held = site.json("holds")[0]
    code, _, err = site("holds", "resolve", str(held["id"]), "--take", "ifs")
    assert (code, "which no side can be taken for" in err) == (1, True)


def test_a_newcomer_of_cin7_is_created_in_ifs_when_a_person_wants_it(site: Installation) -> None:
    linked(site)
    site.edit_in_cin7(
        Name="Newcomer", Currency="SEK", PaymentTerm="30 days", AccountPayable="2440", TaxRule="Purchases 25%",
        Status="Active", AttributeSet="ERP link", AdditionalAttribute1="N1",
    )  # fmt: skip
    bring(site)
    (hold,) = [one for one in site.json("holds") if one["flow"] == "cin7_suppliers"]
    assert [finding["code"] for finding in hold["findings"]] == ["supplier.unknown"]
    site("holds", "resolve", str(hold["id"]), "--take", "cin7")
    site.work()
    assert in_ifs(site, HEADERS, SupplierId="N1")["Name"] == "Newcomer"
    assert site.cin7_id("N1") == hold["key"].partition("/")[2]


def test_a_term_that_becomes_unambiguous_lets_the_edit_go_on_by_itself(site: Installation) -> None:
    vendor = linked(site)
    file = site.folder / "terms.csv"
    before = site("mappings", "export", "payment_terms")[1]
    file.write_text(before + "10,61,60 days\n")
    site("mappings", "import", "payment_terms", str(file))
    site.edit_in_cin7(ID=vendor, PaymentTerm="60 days")
    bring(site)
    (cause,) = [one for one in site.json("causes") if one["code"] == "term.unmapped"]
    assert (cause["company"], cause["value"]) == ("10", "60 days")
    file.write_text(before)
    assert len(site.json("mappings", "import", "payment_terms", str(file), "--replace")["released"]) == 1
    site.work()
    assert in_ifs(site, "IdentityInvoiceInfoSet", Identity="S000001", Company="10")["PayTermId"] == "60"


def test_the_stream_of_each_account_is_shown_with_its_filter(site: Installation) -> None:
    linked(site)
    polls = [one for one in site.json("polls") if one["flow"] == "cin7_suppliers"]
    assert {one["source"] for one in polls} == {"cin7.main/supplier", "cin7.second/supplier"}
    assert {one["filter"] for one in polls} == {"IncludeDeprecated=true"}
    site.edit_in_cin7(ID=site.cin7_id("S000001"), Name="From Cin7")
    site("poll", "cin7_suppliers")
    site("poll", "cin7_suppliers")
    newest = next(one for one in site.json("polls") if one["source"] == "cin7.main/supplier")
    assert re.fullmatch(r"ModifiedSince=[-0-9T:.]+&IncludeDeprecated=true", newest["filter"])
