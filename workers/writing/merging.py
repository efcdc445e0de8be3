"""One field in three versions: as both sides last had it in common, as IFS has it now, as Cin7 has it now. Pure.

The truth table stands in docs/mapping.md#when-both-sides-change-a-supplier; both directions read it here.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from shared.config.settings import Side
from shared.findings import Difference, Finding
from workers.mapping.texts import shown

Value = str | bool
#: `same`: nothing to do. `to_cin7`, `to_ifs`: which side it goes to. `both`: each side has another one.
Verdict = Literal["same", "to_cin7", "to_ifs", "both"]
#: Where a person, or the settings, take a field from.
Take = Literal["ifs", "cin7"]


def verdict(before: Value, ifs: Value, cin7: Value) -> Verdict:
    """Return what becomes of a field."""
    if ifs == cin7:
        return "same"
    if cin7 == before:
        return "to_cin7"
    return "to_ifs" if ifs == before else "both"


class Bases(NamedTuple):
    """What both sides have in common afterwards.

    Attributes:
        after_cin7: once all that goes to Cin7 is written there, and nothing else.
        after_ifs: once all that goes to IFS is written there, and nothing else.
        decided: once a person decided where the field is taken from; then one side is as before, and the other's
            value goes its way like any change.
    """

    after_cin7: Value
    after_ifs: Value
    decided: Value


def bases(found: Verdict, before: Value, ifs: Value, cin7: Value, take: Take | None) -> Bases:
    """Return what is in common after each of the things that may happen to a field."""
    return Bases(
        after_cin7=ifs if found in ("same", "to_cin7") else before,
        after_ifs=cin7 if found in ("same", "to_ifs") else before,
        decided={"ifs": cin7, "cin7": ifs}[take] if take else ifs if found == "same" else before,
    )


class Arbiter:
    """Settles field after field; keeps what goes which way, and what it could not settle.

    Args:
        sides: who wins where both sides changed a field: one for all, or by the name of a group of fields.
        newer: `ifs` or `cin7`, by group, where it is known who changed it later.
        takes: what a person decided, by the name of a field as a finding shows it.
        company: named by the findings.
    """

    def __init__(
        self,
        *,
        sides: Side | dict[str, Side],
        newer: Mapping[str, Take],
        takes: Mapping[str, Take] | None = None,
        company: str,
    ) -> None:
        self._sides = sides
        self._newer = newer
        self._takes = takes or {}
        self._company = company
        self.to_cin7: list[str] = []
        self.to_ifs: list[str] = []
        self.findings: list[Finding] = []

    def settle(self, field: str, group: str, before: Value, ifs: Value, cin7: Value) -> Verdict:
        """Return which way a field goes; `both` where nobody may say, which adds a finding.

        Args:
            field: names the field to people.
            group: names it in the setting `supplier_conflict`.
            before: what both sides had in common; empty or False where there was nothing yet.
            ifs: what IFS has now, in Cin7's words.
            cin7: what Cin7 has now.
        """
        found = verdict(before, ifs, cin7)
        if found == "both":
            found = self.conflict(field, group, str(before), str(ifs), str(cin7))
        self.note(field, found)
        return found

    def note(self, field: str, found: Verdict) -> None:
        """Keep which way a field goes."""
        if found == "to_cin7":
            self.to_cin7.append(field)
        elif found == "to_ifs":
            self.to_ifs.append(field)

    def conflict(self, field: str, group: str, before: str, ifs: str, cin7: str) -> Verdict:
        """Say who wins what both sides changed, as the settings have it; else it adds a finding."""
        side = self._sides if isinstance(self._sides, str) else self._sides.get(group, "hold")
        if side == "newest":
            side = self._newer.get(group, "hold")
        if side == "hold":
            self.findings.append(conflict_finding(field, before, ifs, cin7, self._company))
            return "both"
        return "to_cin7" if side == "ifs" else "to_ifs"

    def take(self, field: str) -> Take | None:
        """Return where a person takes the field from; None where nobody decided on it."""
        return self._takes.get(field)


RESOLVE: Final = "Settle it with `connector holds resolve ID --take ifs` or `--take cin7`."


def conflict_finding(
    field: str, before: str, ifs: str, cin7: str, company: str, *, why: str = "", remedy: str = RESOLVE
) -> Difference:
    """Return the reason to hold a field on which the two sides differ, with all three values.

    Args:
        why: says what is the matter, if not that both sides changed it.
    """
    three = f"before {_quoted(before)}, IFS {_quoted(ifs)}, Cin7 {_quoted(cin7)}"
    return Difference(
        code="supplier.conflict",
        field=field,
        value=shown(ifs),
        message=f"{field} {why or 'changed on both sides'}: {three}.",
        remedy=remedy,
        company=company,
        before=shown(before),
        ifs=shown(ifs),
        cin7=shown(cin7),
    )


def _quoted(value: str) -> str:
    return f"“{shown(value)}”" if value else "(empty)"
