"""One IFS tenant: its data, clients, limits and troubles, and the answer to any call. No network in here."""

import re
from typing import Final
from urllib.parse import unquote

from sandbox.ifs.access import RowSecurity
from sandbox.ifs.addresses import split, target_of
from sandbox.ifs.answers import JSON, Answer, Refused, Request, data, html
from sandbox.ifs.clock import Clock
from sandbox.ifs.faults import Faults
from sandbox.ifs.limits import Limits
from sandbox.ifs.metadata import edmx, service_document
from sandbox.ifs.reading import Reader
from sandbox.ifs.requests_seen import Call, RequestsSeen
from sandbox.ifs.services import SERVICES
from sandbox.ifs.store import Store
from sandbox.ifs.tokens import Client, Tokens
from sandbox.ifs.writing import Writer

_TOKEN: Final = re.compile(r"/auth/realms/([^/]+)/protocol/openid-connect/token")
_DISCOVERY: Final = re.compile(r"/auth/realms/([^/]+)/\.well-known/openid-configuration")


class Tenant:
    def __init__(self) -> None:
        self.requests = RequestsSeen()
        self.clock = Clock()
        self.latency_s = 0.0
        self.latency_jitter_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the calls that were seen."""
        self.clock.run()
        self.store = Store(self.clock)
        self.tokens = Tokens(self.clock)
        self.limits = Limits()
        self.faults = Faults()
        self.latency_s = self.latency_jitter_s = 0.0
        #: Calls whose clients have gone and whose statements still run: (seconds since 1970 of the end, request, call).
        self._late: list[tuple[float, Request, Call]] = []

    def put_off(self, request: Request, call: Call, delay_s: float) -> None:
        """Let a call take effect later; nobody will hear its answer."""
        self._late.append((self.clock.now_s() + delay_s, request, call))

    def settle(self) -> None:
        """Make visible what was committed by now, and carry out the calls whose time has come, in its order."""
        self.store.settle()
        now = self.clock.now_s()
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _, request, call in sorted(due, key=lambda late: late[0]):
            self.answer(request, call)

    def seen(self, request: Request) -> Call:
        return self.requests.add(request, unquote(request.path), self.clock.now_s())

    def answer(self, request: Request, call: Call) -> Answer:
        """Return the honest answer to one call."""
        self.settle()
        try:
            if len(request.path) + len(request.query) > self.store.switches.url_bytes_max:
                return html(414, "Request-URI Too Large")
            if token := _TOKEN.fullmatch(request.path):
                self.tokens.refresh_token = self.store.switches.refresh_token
                return self.tokens.endpoint(token[1], request)
            if discovery := _DISCOVERY.fullmatch(request.path):
                return self.tokens.discovery(discovery[1], request)
            client = self.tokens.client_of(request.headers.get("authorization", ""))
            call.client_id = client.client_id
            if wait_s := self.limits.take(client.client_id, self.clock.now_s()):
                headers = (("Retry-After", str(max(1, round(wait_s)))),)
                return data({"error": {"message": "Too many requests"}}, status=429, headers=headers)
            return self._with_cookies(request, self._data(client, request))
        except Refused as refused:
            return refused.answer()

    def _data(self, client: Client, request: Request) -> Answer:
        root, service, segments = split(request.path)
        switches = self.store.switches
        if service in switches.inactive_services and SERVICES[service].entity:
            raise Refused(
                switches.inactive_status, "MI_METADATA_NOTFOUND", f"The entity service {service} is not active."
            )
        if client.services is not None and service not in client.services:
            raise Refused(403, "", "Insufficient privileges", body={"error": {"message": "Insufficient privileges"}})
        self._check_csrf(request)
        context = f"{request.origin}{root}$metadata"
        if not segments:
            return data(service_document(context, service))
        if segments == ["$metadata"]:
            return Answer(status=200, body=edmx(self.store, service).encode(), content_type="application/xml")
        if segments[0].startswith("$") or segments[-1].startswith("$"):
            raise Refused(501, "ODP_NOT_IMPLEMENTED", f"{segments[-1]} is not implemented.")
        reader = Reader(store=self.store, security=RowSecurity(self.store.tables, client.companies))
        target = target_of(root, service, segments)
        if request.method == "GET":
            return reader.collection(target, request) if target.key is None else reader.row(target, request)
        if request.method not in ("POST", "PATCH", "DELETE"):
            raise Refused(405, "ODP_NOT_ALLOWED", f"{request.method} is not allowed.")
        return Writer(reader=reader, client_id=client.client_id).write(target, request)

    def _check_csrf(self, request: Request) -> None:
        cookies = request.headers.get("cookie", "")
        guarded = self.store.switches.csrf and request.path.startswith("/main/") and request.method != "GET"
        if guarded and "JSESSIONID=" in cookies:
            sent = request.headers.get("x-xsrf-token")
            if not sent or f"XSRF-TOKEN={sent}" not in cookies:
                raise Refused(403, "CSRF_ERROR", "The CSRF token is missing or wrong.")

    def _with_cookies(self, request: Request, answer: Answer) -> Answer:
        if answer.content_type == "application/json":
            answer = Answer(status=answer.status, body=answer.body, content_type=JSON, headers=answer.headers)
        if not self.store.switches.csrf or request.method != "GET":
            return answer
        cookies = (("Set-Cookie", "JSESSIONID=s1; Path=/; HttpOnly"), ("Set-Cookie", "XSRF-TOKEN=x1; Path=/"))
        return Answer(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers=(*answer.headers, *cookies),
        )
