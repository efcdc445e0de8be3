"""The control plane under /_sandbox/: seed, change, break and inspect the stand-in. No part of Cin7's API."""

from collections.abc import Callable
from itertools import islice
from typing import cast

import msgspec

from sandbox.cin7 import bookkeepers, people, webhooks
from sandbox.cin7.cloud import Cloud
from sandbox.cin7.company import Company, Purchase
from sandbox.cin7.errors import Refused
from sandbox.cin7.faults import Rule
from sandbox.cin7.meddling import meddle
from sandbox.cin7.seeding import limit_from
from sandbox.cin7.stages import shown_advanced
from sandbox.cin7.suppliers import shown
from sandbox.cin7.wire import Json, decode

PREFIX = "/_sandbox/"

#: Path of the control plane to the reference data it edits.
BOOKS = {
    "accounts": "chart",
    "terms": "terms",
    "taxes": "taxes",
    "locations": "locations",
    "products": "products",
    "attribute_sets": "attribute_sets",
}
REQUESTS_PER_ANSWER = 1000


class Unknown(Exception):
    """There is no such path, or no such record."""


class Control:
    """Carries out one order of a test or demo. Raises ValueError, KeyError or Unknown where it makes no sense."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._routes: dict[tuple[str, str], Callable[[str, dict[str, str], Json], object]] = {
            ("POST", "reset"): self._reset,
            ("POST", "seed"): self._seed,
            ("GET", "state"): self._state,
            ("GET", "requests"): self._requests,
            ("POST", "requests"): self._record,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "limits"): self._limits,
            ("POST", "limits"): self._set_limit,
            ("DELETE", "limits"): self._forget_limits,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "switches"): self._switch,
            ("POST", "latency"): self._latency,
            ("POST", "clock"): self._clock,
            ("POST", "suppliers"): self._supplier,
            ("POST", "purchases"): self._purchase,
            ("POST", "invoices"): self._invoice,
            ("POST", "company"): self._company,
            ("GET", "webhooks"): self._webhooks,
            ("POST", "webhooks"): self._webhook,
            ("GET", "deliveries"): self._deliveries,
            ("POST", "deliveries"): self._meddle,
        }

    def run(self, method: str, path: str, query: dict[str, str], raw: bytes) -> tuple[int, object]:
        """Return the HTTP status and the object to answer with."""
        name, _, rest = path.removeprefix(PREFIX).strip("/").partition("/")
        self._cloud.settle()
        try:
            body = cast("Json", decode(raw)) if raw else {}
            if method == "POST" and name in BOOKS:
                return 200, self._book(BOOKS[name], body)
            if (method, name) not in self._routes:
                return 404, {"error": f"The control plane has no {method} {path}."}
            return 200, self._routes[method, name](rest, query, body)
        except Unknown as error:
            return 404, {"error": str(error)}
        except (Refused, ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def _reset(self, _rest: str, _query: dict[str, str], _body: Json) -> Json:
        self._cloud.reset()
        return {"accounts": list(self._cloud.companies)}

    def _seed(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        self._cloud.seed(body["accounts"])
        return {"accounts": list(self._cloud.companies)}

    def _state(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        brief = query.get("brief") == "true"
        return {"accounts": [_state_of(company, brief=brief) for company in self._cloud.chosen(query.get("account"))]}

    def _requests(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        recording = self._cloud.recording
        if query.get("summary") == "true":
            return {"summary": recording.summary(query)}
        limit = int(query.get("limit", REQUESTS_PER_ANSWER))
        return {"requests": [record.shown() for record in islice(recording.select(query), limit)]}

    def _record(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        self._cloud.recording.bodies = bool(body["bodies"])
        return {"bodies": self._cloud.recording.bodies}

    def _forget_requests(self, _rest: str, _query: dict[str, str], _body: Json) -> Json:
        self._cloud.recording.clear()
        return {}

    def _limits(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        rows = []
        for company in self._cloud.chosen(query.get("account")):
            for key in company.keys.values():
                row = {"account": company.account_id, "limit": msgspec.structs.asdict(company.limit), **key.report()}
                if query.get("arrivals") == "true":
                    row["arrivals"] = list(key.arrivals)
                rows.append(row)
        return {"limits": rows}

    def _set_limit(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        change = {name: value for name, value in body.items() if name != "account"}
        for company in self._cloud.chosen(body.get("account")):
            company.limit = limit_from(change, company.limit)
        return self._limits("", {}, {})

    def _forget_limits(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        for company in self._cloud.chosen(query.get("account")):
            for key in company.keys.values():
                key.forget()
        return {}

    def _faults(self, _rest: str, _query: dict[str, str], _body: Json) -> Json:
        return {"rules": [msgspec.structs.asdict(rule) for rule in self._cloud.faults.rules]}

    def _add_faults(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        """Add one rule, or `{"rules": [...], "seed": n}`."""
        rows = body.get("rules", [body])
        rules = [msgspec.convert(row, Rule, strict=False) for row in rows]
        if "seed" in body:
            self._cloud.faults.seed(int(body["seed"]))
        self._cloud.faults.add(rules)
        return self._faults("", {}, {})

    def _clear_faults(self, _rest: str, _query: dict[str, str], _body: Json) -> Json:
        self._cloud.faults.clear()
        return {}

    def _switch(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        """Set switches of one account, or of all and of unknown callers too."""
        account = body.get("account")
        chosen = body.get("switches") or {name: value for name, value in body.items() if name != "account"}
        companies = self._cloud.chosen(account)
        self._cloud.switches.check(chosen)
        for company in companies:
            company.switches.choose(chosen)
        if not account:
            self._cloud.switches.choose(chosen)
        return {company.account_id: dict(company.switches) for company in companies}

    def _latency(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        seconds = float(body["ms"]) / 1000
        if account := body.get("account"):
            self._cloud.company(account).latency_s = seconds
        else:
            self._cloud.latency_s = seconds
        return {"ms": seconds * 1000}

    def _clock(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        self._cloud.clock.offset_s = float(body["offset_s"])
        return {"now": self._cloud.clock.now().isoformat()}

    def _supplier(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        company = self._cloud.company(body.get("account"))
        return shown(people.edit_supplier(company, body["supplier"]), written=False)

    def _purchase(self, rest: str, _query: dict[str, str], body: Json) -> Json:
        return shown_advanced(people.edit_purchase(*self._named(rest, body), body))

    def _invoice(self, rest: str, _query: dict[str, str], body: Json) -> Json:
        return shown_advanced(bookkeepers.edit_invoice(*self._named(rest, body), body))

    def _named(self, rest: str, body: Json) -> tuple[Company, Purchase]:
        """Return the purchase that the path names by its id or its number, and its company."""
        for company in self._cloud.chosen(body.get("account")):
            if purchase := company.purchase(rest) or _numbered(company, rest):
                return company, purchase
        raise Unknown(f"There is no purchase {rest!r}.")

    def _company(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        change = {name: value for name, value in body.items() if name != "account"}
        return bookkeepers.edit_company(self._cloud.company(body.get("account")), change)

    def _webhooks(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        return {"webhooks": list(self._cloud.company(query.get("account")).webhooks.values())}

    def _webhook(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        """Save a webhook as a person would on the screen."""
        return webhooks.edit(self._cloud.company(body.get("account")), body["webhook"])

    def _deliveries(self, _rest: str, query: dict[str, str], _body: Json) -> Json:
        return {"deliveries": self._cloud.company(query.get("account")).outbox.shown()}

    def _meddle(self, _rest: str, _query: dict[str, str], body: Json) -> Json:
        """Do to the calls of webhooks what a network or a stranger does."""
        return meddle(self._cloud.company(body.get("account")), body)

    def _book(self, book: str, body: Json) -> Json:
        company = self._cloud.company(body.get("account"))
        rows = body.get("rows") or ([body["row"]] if "row" in body else [])
        return {"rows": people.edit_book(company, book, rows, body.get("remove") or [])}


def _numbered(company: Company, number: str) -> Purchase | None:
    return next((item for item in company.purchases.values() if item.number == number.upper()), None)


def _state_of(company: Company, *, brief: bool) -> Json:
    counts = {"suppliers": len(company.suppliers.by_id), "purchases": len(company.purchases)}
    state: Json = {
        "account_id": company.account_id,
        "name": company.name,
        "counters": {**counts, **company.counters},
    }
    if brief:
        return state
    return {
        **state,
        "limit": msgspec.structs.asdict(company.limit),
        "switches": dict(company.switches),
        "suppliers": [shown(supplier, written=False) for supplier in company.suppliers.by_id.values()],
        "purchases": [shown_advanced(purchase) for purchase in company.purchases.values()],
    }
