"""The addresses of the receiver: the hooks, and what monitoring asks; all else is a 404 in JSON."""

from starlette.applications import Starlette
from starlette.routing import Route

from console.hooks.figures import Calls, Hints
from console.hooks.receiver import Receiver
from console.web.pages import Pages, program
from console.web.readiness import Check, of_the_ledger
from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import HOOKS
from shared.errors import ConnectorError


def build_app(parts: Assembly) -> Starlette:
    """Return the program to serve."""
    calls = Calls()
    pages = Pages(lambda: readiness(parts), calls, Hints(parts.ledger, lambda: list(parts.settings.cin7)))
    receiver = Receiver(parts, calls)
    return program([*pages.routes(), Route("/hooks/cin7/{account}", receiver.receive, methods=["POST"])])


def readiness(parts: Assembly) -> list[Check]:
    """Try the ledger, and whether there is a secret to let anybody in with. Redis is of no use here."""
    checks = of_the_ledger(parts)
    return [*checks, _of_the_secret(parts)] if all(check["ok"] for check in checks) else checks


def _of_the_secret(parts: Assembly) -> Check:
    try:
        with parts.ledger.transaction() as cur:
            stored = any(row.name == HOOKS for row in credentials.names(cur.connection))
    except ConnectorError:
        stored = False
    detail = "" if stored else "No secret is stored, so nothing is taken: run `connector credentials set hooks`."
    return Check(name="secret", ok=stored, detail=detail)
