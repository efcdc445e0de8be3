"""What an entry waits for: asked for at once, and named by a hold where it cannot come."""

from functools import partial

from shared.findings import Finding
from shared.ledger import entries, links
from shared.ledger.connection import Cur
from shared.ledger.messages import Message
from workers.writing.session import Session

#: What a record of a flow is called, and what a person does when it is missing.
_NAMES = {
    "suppliers": ("Supplier", "Create it in IFS with payment terms for company {company}, or correct the document."),
    "purchase_orders": ("Order", "See why it is not sent with `connector ledger show purchase_orders {key}`."),
    "supplier_invoices": ("Invoice", "See why it is not sent with `connector ledger show supplier_invoices {key}`."),
}


def missing(flow: str, key: str, account: str, company: str) -> Finding:
    """Return the reason to hold what needs a record that cannot come."""
    name, remedy = _NAMES[flow]
    return Finding(
        code="dependency.missing",
        field=f"{flow}@{account}",
        value=key,
        company=company,
        message=f"{name} {key} is not in Cin7 account {account} and cannot be brought there.",
        remedy=remedy.format(company=company, key=key),
    )


def wait_for(session: Session, flow: str, key: str, account: str) -> None:
    """Let the session's entry wait for a record of another flow, which is asked for."""
    name = links.dependency(flow, key, account)
    session.wait_for(
        name, account, partial(_ask, flow, key, session), missing(flow, key, account, session.claim.company)
    )


def _ask(flow: str, key: str, session: Session, cur: Cur) -> list[Message] | None:
    """Ask for a record; None where it ended a moment ago without the account that is needed."""
    row = cur.execute(
        """
        select state, changed_at > now() - interval '60 seconds' from entry
        where flow = %s and key = %s order by version desc limit 1
        """,
        (flow, key),
    ).fetchone()
    if row is not None and row[0] in {"written", "dismissed"} and row[1]:
        return None
    why = f"{session.claim.flow} {session.claim.key} needs it"
    return entries.ask(cur, flow, key, actor=session.actor, why=why)
