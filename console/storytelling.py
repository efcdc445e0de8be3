"""Entries of the ledger as people read them: what happened, which calls were made, and why it is held."""

from typing import Any

import msgspec

from console.output import print_table, say
from shared.ledger.views.stories import StoryEntry


def shown_body(raw: bytes | None) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a body as JSON can hold it: decoded, else as text with what is no text escaped."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return raw.decode("utf-8", "backslashreplace")


def show_entry(flow: str, key: str, entry: StoryEntry) -> None:
    """Print one entry with its events, calls and findings."""
    say(f"{flow} {key}, version {entry.version}: entry {entry.id}, {entry.state}{_waiting(entry)}")
    rows = [(event.happened_at, _step(event.was, event.becomes), event.actor, event.why) for event in entry.events]
    print_table(("when", "what", "who", "why"), rows, empty="No events.")
    if entry.effects:
        calls = [
            (effect.intent_at, effect.target, effect.request, effect.state, effect.marker, effect.detail)
            for effect in entry.effects
        ]
        print_table(("when", "target", "call", "outcome", "marker", "detail"), calls)
    if entry.findings:
        reasons = [
            (finding.at, finding.code, finding.value, finding.open, finding.message, finding.remedy)
            for finding in entry.findings
        ]
        print_table(("when", "cause", "value", "open", "what", "remedy"), reasons)


def _waiting(entry: StoryEntry) -> str:
    return f", waits for {entry.waits_on}" if entry.waits_on else ""


def _step(was: str, becomes: str) -> str:
    return "noted" if was == becomes else becomes
