"""One field in three versions: what it should be now, and on whose word. Pure."""

from typing import Literal

from shared.config.settings import Side
from shared.findings import Finding
from workers.mapping.texts import shown

Value = str | bool
Verdict = Literal["ours", "theirs"]


class Arbiter:
    """Settles field after field, and keeps what it changed and what it could not settle.

    Args:
        sides: who wins where both sides changed a field: one for all, or by the name of a group of fields.
        newer: `ifs` or `cin7`; empty where it is not known.
        company: named by the findings.
    """

    def __init__(self, *, sides: Side | dict[str, Side], newer: str, company: str) -> None:
        self._sides = sides
        self._newer = newer
        self._company = company
        self.changed: list[str] = []
        self.findings: list[Finding] = []

    def settle(self, field: str, group: str, ours: Value, before: Value, theirs: Value) -> Value:
        """Return the value to write: theirs where only they changed it or nothing changed, else ours if we may.

        Args:
            field: names the field to people.
            group: names it in the setting `supplier_conflict`.
            ours: what IFS wants now.
            before: what was written last; empty or False before that.
            theirs: what Cin7 holds now.
        """
        if ours in (theirs, before):
            return theirs
        if theirs != before and self.conflict(field, group, str(ours), str(before), str(theirs)) == "theirs":
            return theirs
        self.changed.append(field)
        return ours

    def conflict(self, field: str, group: str, ours: str, before: str, theirs: str) -> Verdict:
        """Say who wins a field that both sides changed; a conflict nobody may settle adds a finding."""
        side = self._sides if isinstance(self._sides, str) else self._sides.get(group, "hold")
        if side == "newest":
            side = "ifs" if self._newer == "ifs" else "cin7" if self._newer == "cin7" else "hold"
        if side == "hold":
            self.findings.append(
                Finding(
                    code="supplier.conflict",
                    field=field,
                    value=shown(ours),
                    message=f"{field} changed on both sides: before {_quoted(before)}, "
                    f"IFS {_quoted(ours)}, Cin7 {_quoted(theirs)}.",
                    remedy="Make both sides agree, in IFS or in Cin7, then replay.",
                    company=self._company,
                )
            )
        return "ours" if side == "ifs" else "theirs"


def _quoted(value: str) -> str:
    return f"“{shown(value)}”" if value else "(empty)"
