"""docs/reconciliation.md names every reason for a difference, says which of them stop a month, and no others."""

import re
from pathlib import Path

from workers.reconciling.comparing import SETTLED
from workers.reconciling.explaining import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "reconciliation.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\|[^|]*\|[^|]*\| ((?:`[a-z0-9-]+`(?:, )?)+) \| (yes|no)", re.MULTILINE)


def test_the_truth_table_holds_every_kind() -> None:
    rows = [(set(re.findall(r"`([a-z0-9-]+)`", kinds)), stops) for kinds, stops in _ROW.findall(PAGE)]
    assert set().union(*(kinds for kinds, _ in rows)) | {"rounding"} == set(KINDS)
    assert set().union(*(kinds for kinds, stops in rows if stops == "no")) | {"rounding"} == SETTLED
