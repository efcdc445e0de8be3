"""IFS's charts of accounts: read once for all who need them, and nothing is judged as if they were known."""

import time
from collections.abc import Iterator

import pytest

from shared.errors import Misconfigured, Retryable
from shared.ifs.charts import Chart
from shared.ifs_charts import IfsCharts
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


class Ifs:
    """Answers with an empty chart after a while, unless it is to fail."""

    def __init__(self, error: Exception | None = None, takes_s: float = 0.0) -> None:
        self.error = error
        self.takes_s = takes_s
        self.reads: list[str] = []

    def __call__(self, company: str) -> Chart:
        self.reads.append(company)
        time.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        return Chart(company=company, accounts={})


def test_whoever_comes_while_a_chart_is_being_read_waits_for_it(ledger: Ledger) -> None:
    ifs = Ifs(takes_s=0.5)
    charts = IfsCharts(ledger, ifs)

    def known() -> list[str]:
        charts.keep_current(["10"])
        return list(charts.get())

    assert samples.at_once([known, known, known]) == [["10"]] * 3
    assert ifs.reads == ["10"]


def test_an_ifs_that_does_not_answer_puts_off_what_needs_a_chart_that_was_never_read(ledger: Ledger) -> None:
    ifs = Ifs(Retryable("IFS answered 503"))
    charts = IfsCharts(ledger, ifs)
    with pytest.raises(Retryable, match="company 10 was never read: IFS answered 503") as raised:
        charts.keep_current(["10"])
    assert not raised.value.executed, "that says nothing about what is judged"
    ifs.error = None
    charts.keep_current(["10"])
    assert list(charts.get()) == ["10"]


def test_a_chart_that_was_read_before_stands_while_ifs_does_not_answer(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ifs = Ifs()
    IfsCharts(ledger, ifs).keep_current(["10"])
    monkeypatch.setattr("shared.ifs_charts.STALE_S", 0.0)
    ifs.error = Retryable("IFS answered 503")
    charts = IfsCharts(ledger, ifs)
    charts.keep_current(["10"])
    charts.keep_current(["10"])
    assert list(charts.get()) == ["10"]
    assert ifs.reads == ["10", "10"], "it is not asked again at once"


def test_a_chart_that_ifs_refuses_keeps_nothing_from_being_looked_at(ledger: Ledger) -> None:
    charts = IfsCharts(ledger, Ifs(Misconfigured("the user may not read AccountSet")))
    charts.keep_current(["10"])
    assert not charts.get()
