"""The verdict on one voucher beside what IFS shows of it: what to write, and why it cannot be shown. Pure."""

from shared.findings import Finding
from shared.ifs.mutating import Change, Decision, Unchanged, different
from shared.ifs.pages import Stored
from shared.ifs.sources import BoundSet
from workers.mapping.results import JournalVerdict


def plan_verdict(verdict: JournalVerdict, current: Stored | None) -> Decision:
    """Return what is to be written; one property, and nothing where it holds the verdict already."""
    pending = different({verdict.field: verdict.value}, current.values if current else {})
    return Change(pending) if pending else Unchanged()


def marker_of(verdict: JournalVerdict) -> str:
    """Return what tells a change whose answer was lost from what was there before."""
    return f"{verdict.field}={verdict.value}"


def was_made(marker: str, current: Stored) -> bool:
    """Say whether the voucher shows what a change of that marker was to bring."""
    field, _, value = marker.partition("=")
    return not different({field: value}, current.values)


def unshown(verdict: JournalVerdict, of: BoundSet, why: str) -> Finding:
    """Return why IFS does not show the verdict."""
    return Finding(
        code="target.refused",
        field=verdict.field,
        value=verdict.key,
        company=verdict.company,
        message=f"The verdict on voucher {verdict.key} cannot be shown in IFS: {why}",
        remedy=(
            f"Grant {of.service} to the service user, activate it in API Explorer if it is an entity service, "
            "or name the tenant's own in [ifs.streams.journals.sets.verdict]; then replay."
        ),
    )
