import pytest

from shared.config.settings import StreamSettings
from shared.findings import CODES
from shared.ifs.mutating import Change, Unchanged
from shared.ifs.pages import Stored
from shared.ifs.records.journals import SOURCE, VERDICT
from workers.mapping.results import JournalVerdict
from workers.writing.journals import marker_of, plan_verdict, unshown, was_made

PASSED = JournalVerdict(
    company="10",
    accounting_year=2026,
    voucher_type="I",
    voucher_no=2600045,
    ok=True,
    dates_checked=True,
    field="Cf_Cin7Check",
    value="CfEnum_PASSED",
)


def shows(value: object) -> Stored:
    return Stored({"Company": "10", "Cf_Cin7Check": value, "VoucherText": "Bolts"}, 'W/"1"')


@pytest.mark.parametrize("before", [None, "", "CfEnum_FAILED", "cfenum_passed"])
def test_a_verdict_that_ifs_shows_otherwise_is_written_and_nothing_else(before: object) -> None:
    assert plan_verdict(PASSED, shows(before)) == Change({"Cf_Cin7Check": "CfEnum_PASSED"})


def test_a_verdict_that_ifs_shows_already_is_not_written_again() -> None:
    assert plan_verdict(PASSED, shows("CfEnum_PASSED")) == Unchanged()


def test_a_tenant_that_shows_no_such_property_is_asked_to_take_it() -> None:
    assert plan_verdict(PASSED, Stored({"Company": "10"}, 'W/"1"')) == Change({"Cf_Cin7Check": "CfEnum_PASSED"})


@pytest.mark.parametrize(("value", "made"), [("CfEnum_PASSED", True), ("CfEnum_FAILED", False), (None, False)])
def test_a_change_whose_answer_was_lost_is_told_by_what_it_was_to_bring(value: object, made: bool) -> None:
    assert was_made(marker_of(PASSED), shows(value)) is made


def test_a_value_may_hold_the_mark_between_field_and_value() -> None:
    assert was_made("Cf_Cin7Check=a=b", shows("a=b"))


def test_what_cannot_be_shown_names_the_voucher_and_where_to_look() -> None:
    of = SOURCE.bound(StreamSettings()).set_named(VERDICT)
    finding = unshown(PASSED, of, "it says no.")
    assert finding.code in CODES
    assert (finding.field, finding.value, finding.company) == ("Cf_Cin7Check", "10/2026/I/2600045", "10")
    assert "VoucherEntity" in finding.remedy
