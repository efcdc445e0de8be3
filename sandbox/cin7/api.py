"""The API side: lets a call in, or refuses it, finds its endpoint and gives its answer."""

import time
from collections.abc import Sequence

from sandbox.cin7 import credit_notes, invoices, orders, purchases, reference, suppliers, webhooks
from sandbox.cin7.calls import Call, Endpoint, Unreadable
from sandbox.cin7.cloud import Cloud
from sandbox.cin7.company import Company
from sandbox.cin7.errors import HTML_TYPE, PAGE_NOT_FOUND, TEXT_TYPE, Answer, Problem, Refused, message, refusal
from sandbox.cin7.faults import Rule, spoiled
from sandbox.cin7.limits import throttled
from sandbox.cin7.purchase_list import purchase_list
from sandbox.cin7.recording import Record
from sandbox.cin7.switches import Switches
from sandbox.cin7.wire import encode, guid, upper_guids

PREFIX = "/externalapi/v2/"

#: Endpoint and verb to what serves it.
ROUTES: dict[str, dict[str, Endpoint]] = {
    "me": {"GET": reference.me},
    "supplier": {"GET": suppliers.suppliers, "POST": suppliers.create, "PUT": suppliers.update},
    "advanced-purchase": {
        "GET": purchases.read,
        "POST": purchases.create,
        "PUT": purchases.update,
        "DELETE": purchases.remove,
    },
    "advanced-purchase/invoice": {"GET": invoices.read, "POST": invoices.write, "DELETE": invoices.remove},
    "advanced-purchase/creditnote": {
        "GET": credit_notes.read,
        "POST": credit_notes.write,
        "DELETE": credit_notes.remove,
    },
    "purchase": {
        "GET": purchases.read_simple,
        "POST": purchases.create_simple,
        "PUT": purchases.update_simple,
        "DELETE": purchases.remove_simple,
    },
    "purchase/order": {"GET": orders.read, "POST": orders.write},
    "purchaselist": {"GET": purchase_list},
    "product": {"GET": reference.products},
    "webhooks": {
        "GET": webhooks.read,
        "POST": webhooks.create,
        "PUT": webhooks.update,
        "DELETE": webhooks.remove,
    },
    "ref/account": {"GET": reference.accounts},
    "ref/paymentterm": {"GET": reference.payment_terms},
    "ref/tax": {"GET": reference.tax_rules},
    "ref/location": {"GET": reference.locations},
    "ref/attributeset": {"GET": reference.attribute_sets},
}

WITH_BODY = frozenset({"POST", "PUT"})
#: Faults of these kinds need the true answer, so the call is always carried out.
CARRIED_OUT = frozenset({"slow", "truncated"})
INCORRECT = "Incorrect credentials!"


class Api:
    """Answers calls under /ExternalApi/v2/ in two steps, so that a slow call can wait between them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def admit(self, request: "Request") -> Answer | None:
        """Record the call and check its credentials and its budget; an answer here is a refusal."""
        cloud = self._cloud
        cloud.settle()
        record = cloud.recording.begin(cloud.clock.now(), request.method, request.path, request.query, request.body)
        request.record = record
        lowered = request.path.lower()
        inside = lowered.startswith(PREFIX)
        request.endpoint = record.endpoint = lowered[len(PREFIX) :].strip("/") if inside else ""
        company = cloud.companies.get(guid(request.account_id) or "")
        record.account = company.account_id if company else ""
        key = company.keys.get(request.key.lower()) if company else None
        if company is None or key is None:
            return _incorrect(company.switches if company else cloud.switches)
        request.company = company
        record.key = key.label
        counts = bool(company.switches["refused_calls_count"])
        if not key.admit(time.monotonic(), company.limit, refused_count=counts):
            return throttled(company.limit, request.endpoint)
        request.fault = cloud.faults.strike(request.method, request.endpoint, company.account_id, request.body)
        record.fault = request.fault.kind if request.fault else ""
        return None

    def carry_out(self, request: "Request", company: Company) -> Answer:
        """Run the admitted call, unless a fault forbids, and return what its client gets to see."""
        fault = request.fault
        latency_s = company.latency_s if company.latency_s is not None else self._cloud.latency_s
        answer = None
        if fault is None or fault.after_commit or fault.kind in CARRIED_OUT:
            answer = _answer(request, company)
        elif fault.late_s:
            self._cloud.put_off(fault.late_s, lambda: _answer(request, company))
        if fault is not None and not (fault.kind == "slow" and not fault.after_commit):
            answer = spoiled(fault, answer, company.limit, request.endpoint)
        if answer is None:
            raise RuntimeError(f"The fault {fault} left no answer.")
        return answer._replace(delay_s=answer.delay_s + latency_s) if latency_s else answer


class Request:
    """One request on its way in: what was sent, and what was found out about it."""

    __slots__ = (
        "account_id",
        "body",
        "company",
        "endpoint",
        "fault",
        "json",
        "key",
        "method",
        "path",
        "query",
        "record",
    )

    def __init__(
        self, method: str, path: str, query: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.account_id = self.key = ""
        self.json = False
        for name, value in headers:
            if name == b"api-auth-accountid":
                self.account_id = value.decode("latin-1")
            elif name == b"api-auth-applicationkey":
                self.key = value.decode("latin-1").strip()
            elif name == b"content-type":
                self.json = value.lower().startswith(b"application/json")
        self.endpoint = ""
        self.company: Company | None = None
        self.fault: Rule | None = None
        self.record: Record | None = None


def _answer(request: Request, company: Company) -> Answer:
    if barred := _barred(request, company):
        return barred
    bare = company.switches["error_shape"] == "object"
    try:
        result = ROUTES[request.endpoint][request.method](Call(company, request.query, request.body))
    except Refused as refused:
        company.counters["refused"] += 1
        return refusal(refused.problems, bare_object=bare)
    except Unreadable as error:
        return refusal([Problem(f"The request body could not be parsed. {error}", 500)], bare_object=bare, status=500)
    return Answer(200, encode(upper_guids(result) if company.switches["guid_case"] == "upper" else result))


def _barred(request: Request, company: Company) -> Answer | None:
    """Return what is answered before any endpoint is asked: there is none, or not for this verb, body or account."""
    verbs = ROUTES.get(request.endpoint)
    if verbs is None:
        return _unknown_path(company.switches)
    if request.endpoint == "webhooks" and (barred := webhooks.barred(company.switches)):
        return barred
    if request.method not in verbs:
        return message(405, f"The requested resource does not support http method '{request.method}'.")
    if request.method in WITH_BODY and not request.json:
        return message(415, "The request entity's media type is not supported for this resource.")
    return None


def _unknown_path(switches: Switches) -> Answer:
    style = switches["unknown_path"]
    if style == "redirect":
        return Answer(302, b"", ((b"location", b"/ExternalApi/v2/notfound"), HTML_TYPE))
    return Answer(404 if style == "404" else 200, PAGE_NOT_FOUND, (HTML_TYPE,))


def _incorrect(switches: Switches) -> Answer:
    style = switches["credentials_body"]
    if style == "text":
        return Answer(403, INCORRECT.encode(), (TEXT_TYPE,))
    if style == "json":
        return Answer(403, encode(INCORRECT))
    return Answer(403, encode([{"ErrorCode": 403, "Exception": INCORRECT}]))
