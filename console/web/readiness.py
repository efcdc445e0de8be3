"""Whether everything the connector stands on is there: PostgreSQL, its schema, Redis."""

from typing import TypedDict

import redis
import structlog

from shared.assembly import Assembly
from shared.errors import ConnectorError, Misconfigured
from shared.ledger import webhooks
from shared.ledger.migrations import require_current

log = structlog.get_logger()


class Check(TypedDict):
    """One line of the answer; `detail` says what is wrong and holds no secret."""

    name: str
    ok: bool
    detail: str


def readiness(parts: Assembly) -> list[Check]:
    """Try everything, whatever the others say. Webhooks are named only where Cin7 has switched one off.

    That is no fault of this installation's readiness: changes are polled for all the same.
    """
    checks = of_the_ledger(parts)
    off = _webhooks_off(parts) if all(check["ok"] for check in checks) else []
    return [*checks, _of_redis(parts), *off]


def of_the_ledger(parts: Assembly) -> list[Check]:
    try:
        with parts.ledger.transaction() as cur:
            cur.execute("set local statement_timeout = 5000")
            try:
                require_current(cur.connection)
            except Misconfigured as error:
                schema = Check(name="schema", ok=False, detail=str(error))
            else:
                schema = Check(name="schema", ok=True, detail="")
    except ConnectorError as error:
        return [_away("postgres", error)]
    return [Check(name="postgres", ok=True, detail=""), schema]


def _webhooks_off(parts: Assembly) -> list[Check]:
    try:
        with parts.ledger.transaction() as cur:
            off = [one.account for one in webhooks.all_of(cur) if one.state != "on"]
    except ConnectorError:
        return []
    detail = f"Cin7 does not call the webhook of {', '.join(off)} any more: see `connector hooks status`."
    return [Check(name="webhooks", ok=True, detail=detail)] if off else []


def _of_redis(parts: Assembly) -> Check:
    try:
        parts.redis.ping()
    except redis.RedisError as error:
        return _away("redis", error)
    return Check(name="redis", ok=True, detail="")


def _away(name: str, error: Exception) -> Check:
    # A server's own words name users and addresses, which are for the log only.
    log.warning("not ready", check=name, reason=str(error))
    return Check(name=name, ok=False, detail="It cannot be reached; the log tells more.")
