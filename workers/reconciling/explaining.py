"""Each difference in words: why it is there, and what to do. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from shared.money import in_units, total_of
from workers.reconciling.comparing import Difference
from workers.reconciling.copies import Case, IfsCopy, Known, Progress, total

_FIELDS_SHOWN: Final = 4


class Kind(msgspec.Struct, frozen=True):
    """`title` for tables, `explain` for one difference; `remedy` where nothing better is known."""

    title: str
    explain: Callable[[Difference, Case], str]
    remedy: str


def explained(difference: Difference, case: Case) -> tuple[str, str]:
    """Return why there is a difference, and what to do about it."""
    kind = KINDS[difference.kind]
    findings = _progress(case).findings if difference.kind in {"held", "half-written"} else ()
    remedy = " ".join(dict.fromkeys(finding.remedy for finding in findings)) or kind.remedy
    return _sentence(kind.explain(difference, case)), remedy.replace("{flow}", difference.flow).replace(
        "{key}", difference.key
    ).replace("{entry}", str(_progress(case).entry))  # fmt: skip


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _known(case: Case) -> Known:
    return case.known or Known()


def _progress(case: Case) -> Progress:
    return _known(case).progress


def _ifs(case: Case) -> IfsCopy:
    return case.ifs or IfsCopy(document="order", company="", currency="", date="")


def _purchase(difference: Difference) -> str:
    place = f"Cin7 account {difference.cin7_account}" if difference.cin7_account else "Cin7"
    return f"{difference.cin7_number} in {place}" if difference.cin7_number else place


def _sums(difference: Difference, left: str, right: str) -> str:
    """Return what differs, in a few words: sums per currency, and fields."""
    said = []
    for currency in dict.fromkeys(amount.currency for amount in difference.amounts):
        mine = [amount for amount in difference.amounts if amount.currency == currency]
        said.append(
            f"{left} {_plain(total_of(*(one.left for one in mine)), currency)}, "
            f"{right} {_plain(total_of(*(one.right for one in mine)), currency)} {currency}"
            f" on {', '.join(one.account or 'no account' for one in mine[:_FIELDS_SHOWN])}"
            f"{', …' if len(mine) > _FIELDS_SHOWN else ''}"
        )
    said += difference.fields[:_FIELDS_SHOWN]
    return "; ".join(said) or "no amount differs"


def _plain(amount: Decimal, currency: str) -> str:
    return f"{in_units(amount, currency):,f}"


def _held(_: Difference, case: Case) -> str:
    progress = _progress(case)
    reasons = " ".join(f"{finding.code}: {finding.message}" for finding in progress.findings[:_FIELDS_SHOWN])
    hand = f" Cin7 has it already, keyed by hand as {case.cin7.numbered}." if _is_by_hand(case) and case.cin7 else ""
    return f"Held since {progress.since}. {reasons or 'See the review desk for why.'}{hand}"


def _is_by_hand(case: Case) -> bool:
    return case.cin7 is not None and case.cin7.origin == "hand"


def _waiting(_: Difference, case: Case) -> str:
    waits_on = _progress(case).waits_on
    flow, rest = waits_on.partition("/")[::2]
    key, account = rest.rpartition("@")[::2]
    return f"Waits since {_progress(case).since} for {flow} {key or rest} in Cin7 account {account}"


def _retrying(_: Difference, case: Case) -> str:
    return f"Failed, and goes again by itself at {_progress(case).due}: {_progress(case).why or 'no reason was given'}"


def _edited_in_ifs(difference: Difference, case: Case) -> str:
    known = _known(case)
    if known.skipped:
        return (
            f"IFS holds another version than was written; it is {known.skipped}: {_sums(difference, 'IFS', 'written')}"
        )
    return f"Changed in IFS after it was read at {known.read_at}: {_sums(difference, 'IFS', 'written')}"


def _account_of_rules(difference: Difference, _: Case) -> str:
    sums = _sums(difference, "now", "as written")
    if difference.step == "ifs":
        return (
            f"The same version is mapped otherwise than when it was written, since tables or settings changed: {sums}"
        )
    return f"{_purchase(difference)} holds it otherwise than it was written: {_sums(difference, 'written', 'Cin7')}"


def _by_hand(difference: Difference, case: Case) -> str:
    cin7 = case.cin7
    who = f" of {cin7.party}" if cin7 and cin7.party else ""
    amount = f"{_plain(total(cin7.amounts), cin7.currency)} {cin7.currency}" if cin7 else ""
    paired = "IFS has the same number of this supplier" if case.ifs else "IFS has nothing of that number"
    return f"{_purchase(difference)}{who} ({amount}) was keyed in Cin7 by hand: no link leads to it, and {paired}"


def _orphan(difference: Difference, case: Case) -> str:
    return (
        f"{_purchase(difference)} bears the connector's marker, but no link leads to it: a twin of a purchase, one "
        f"from before a restore, or a copy that a person made. Its status is {case.cin7.status if case.cin7 else ''}"
    )


_RECONCILE: Final = "Run `connector reconcile` again afterwards."
_SHOW: Final = "`connector ledger show {flow} {key}` tells its story."

KINDS: Final[Mapping[str, Kind]] = {
    "not-pulled": Kind(
        "not pulled yet",
        lambda _, case: f"In IFS, {_ifs(case).state or 'without state'}; no pull has brought it yet",
        "Pull it: `connector poll {flow}`, with --sweep if that does not bring it.",
    ),
    "edited-in-ifs": Kind(
        "edited in IFS after the pull",
        _edited_in_ifs,
        "Pull it: `connector poll {flow}`; an order past its release is brought into line in Cin7 by hand.",
    ),
    "cancelled-in-ifs": Kind(
        "cancelled in IFS after the pull",
        lambda _, case: f"Cancelled in IFS after it was read at {_known(case).read_at}; Cin7 still has it",
        "Pull it: `connector poll {flow}`; it is voided in Cin7 then.",
    ),
    "under-way": Kind(
        "under way",
        lambda _, case: f"On its way since {_progress(case).since} ({_progress(case).state})",
        "Nothing, if `connector run` is running; `connector wait` returns when nothing moves.",
    ),
    "waiting": Kind("waiting", _waiting, _SHOW),
    "retrying": Kind("retrying", _retrying, f"Nothing, unless it lasts. {_SHOW}"),
    "held": Kind("held", _held, "See `connector holds show {entry}`."),
    "dismissed": Kind(
        "dismissed",
        lambda _, case: f"Closed unwritten on {_progress(case).since}: {_progress(case).why}",
        "Accept the difference if Cin7 has it in another form, or key it in Cin7 by hand.",
    ),
    "before-start": Kind(
        "dated before go-live",
        lambda _, case: f"Left out: {_ifs(case).why_left}",
        "Nothing, if it was keyed by hand; else bring it in with `connector backfill {flow} --from DATE`.",
    ),
    "left-alone": Kind(
        "left alone",
        lambda _, case: f"Left out: it is {_ifs(case).why_left}",
        "Nothing; the settings of [policy] say which states are sent.",
    ),
    "only-in-ifs": Kind(
        "only in IFS",
        lambda _, case: f"In IFS, and nothing of it was written: {_progress(case).why or _progress(case).state}",
        _SHOW,
    ),
    "gone-from-ifs": Kind(
        "only in Cin7: gone from IFS",
        lambda difference, case: (
            f"Written on {_known(case).progress.since}, but IFS shows it no more to the connector's user: "
            f"{_purchase(difference)} is left"
        ),
        "Check the record and the user's companies and sites in IFS; void it in Cin7 if it was removed there.",
    ),
    "company-differs": Kind(
        "company differs", _account_of_rules, "Correct the tables companies and sites, or move it."
    ),
    "currency-differs": Kind(
        "currency differs", _account_of_rules, "A purchase has its supplier's currency: correct it in Cin7 by hand."
    ),
    "account-differs": Kind(
        "account differs",
        _account_of_rules,
        "Correct the account in Cin7 or the table accounts; a replay writes it anew while it may be changed.",
    ),
    "amount-differs": Kind("amount differs", _account_of_rules, "Compare it with IFS, and correct it in Cin7 or IFS."),
    "details-differ": Kind("details differ", _account_of_rules, "Compare it with IFS, and correct it in Cin7 or IFS."),
    "edited-in-cin7": Kind(
        "edited in Cin7 after the write",
        lambda difference, _: (
            f"{_purchase(difference)} was read back as written, and was changed in Cin7 since: "
            f"{_sums(difference, 'written', 'Cin7')}"
        ),
        "Undo the change in Cin7, or make the same one in IFS.",
    ),
    "voided-in-cin7": Kind(
        "voided in Cin7 only",
        lambda difference, _: f"{_purchase(difference)} was voided in Cin7, and is alive in IFS",
        "Cancel it in IFS, or key it in Cin7 anew by hand and accept the difference.",
    ),
    "not-authorised-in-cin7": Kind(
        "no longer authorised in Cin7",
        lambda difference, case: (
            f"{_purchase(difference)} was written as authorised and is {case.cin7.status if case.cin7 else 'not'} now, "
            "so that it is not on the books"
        ),
        "Authorise it in Cin7.",
    ),
    "not-voided-in-cin7": Kind(
        "cancelled in IFS only",
        lambda difference, _: f"It was voided by the connector, and {_purchase(difference)} is alive again",
        "Void it in Cin7.",
    ),
    "half-written": Kind(
        "written in part",
        lambda difference, case: f"{_purchase(difference)} was begun and not finished ({_progress(case).state})",
        "Nothing, if it is under way; else see what holds it: `connector ledger show {flow} {key}`.",
    ),
    "gone-from-cin7": Kind(
        "gone from Cin7",
        lambda difference, _: f"{_purchase(difference)} was written, and Cin7 does not show it any more",
        "Look for it in Cin7; where it was removed, key it anew by hand and accept the difference.",
    ),
    "orphan-in-cin7": Kind(
        "only in Cin7: our marker, no link", _orphan, "Void it in Cin7, unless the linked one is the wrong one."
    ),
    "keyed-by-hand": Kind(
        "only in Cin7: keyed by hand",
        _by_hand,
        "Enter it in IFS and void it in Cin7, dismiss what is held of it, or accept the difference.",
    ),
    "rounding": Kind(
        "rounding",
        lambda difference, _: f"Cents, within the tolerance: {_sums(difference, 'one side', 'the other')}",
        "Nothing.",
    ),
}
