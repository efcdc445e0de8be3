"""What a network, a stranger or a hurried test does to the calls of webhooks: forge, repeat, reorder, lose, hurry."""

from collections.abc import Callable

from sandbox.cin7.company import Company
from sandbox.cin7.events import as_sent, supplier_event
from sandbox.cin7.wire import Json, guid


def meddle(company: Company, order: Json) -> Json:
    """Carry out one order, and answer with how many deliveries it touched.

    Args:
        company: whose webhooks.
        order: one of `forge`, `repeat`, `reorder`, `lose` and `now`.

    Raises:
        ValueError: there is not exactly one, or it makes no sense.
    """
    named = [name for name in ORDERS if name in order]
    if len(named) != 1:
        raise ValueError(f"Give one order of {', '.join(ORDERS)}; this has {len(named)}.")
    return {"deliveries": ORDERS[named[0]](company, order[named[0]])}


def _forge(company: Company, wish: Json) -> int:
    """Post a body to `url` at once, `times` times. Its parts are all the forger's: `type`, `body` or `raw`, `headers`.

    With `supplier`, an ID, the body is what Cin7 itself would send about that supplier as it is now.
    """
    kind = str(wish.get("type") or "Supplier/Updated")
    if "supplier" in wish:
        supplier = company.suppliers.by_id.get(guid(wish["supplier"]) or "")
        if supplier is None:
            raise ValueError(f"There is no supplier {wish['supplier']!r}.")
        body = as_sent(company, kind, supplier_event(supplier))
    elif "raw" in wish:
        body = str(wish["raw"]).encode("utf-8", "surrogateescape")
    else:
        body = as_sent(company, kind, wish.get("body"))
    headers = {"Content-Type": "application/json", **{str(key): str(text) for key, text in wish["headers"].items()}}
    times = int(wish.get("times", 1))
    for _ in range(times):
        company.outbox.forge(kind, body, {"url": str(wish["url"]), "headers": headers})
    return times


def _repeat(company: Company, wish: Json) -> int:
    return len(company.outbox.repeat(int(wish.get("last", 1)), int(wish.get("times", 1))))


def _reorder(company: Company, _wish: object) -> int:
    return company.outbox.hurry(backwards=True)


def _lose(company: Company, count: object) -> int:
    company.outbox.lose(int(str(count)))
    return int(str(count))


def _now(company: Company, _wish: object) -> int:
    return company.outbox.hurry()


ORDERS: dict[str, Callable[[Company, Json], int]] = {
    "forge": _forge,
    "repeat": _repeat,
    "reorder": _reorder,
    "lose": _lose,
    "now": _now,
}
