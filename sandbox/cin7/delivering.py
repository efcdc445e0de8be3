"""Makes the calls to webhooks from threads of its own; nothing beyond this machine is ever called."""

import base64
import ipaddress
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

from sandbox.cin7.company import Clock, Company
from sandbox.cin7.outbox import Delivery
from sandbox.cin7.wire import Json, stamp

#: Calls under way at the same time: order is not promised, and a slow receiver keeps no other waiting.
THREADS = 8


class Deliverer:
    """Runs while there is something to deliver, and is started again by the next event.

    Args:
        lock: of the whole stand-in; never held while a call is made.
        companies: by account id, as they are at any moment.
    """

    def __init__(self, lock: threading.RLock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self.companies: Mapping[str, Company] = {}
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._under_way = 0

    def wake(self) -> None:
        """Look at what is due; the caller holds the lock."""
        self._news.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._news.clear()
            with self._lock:
                for company in self.companies.values():
                    for delivery in company.outbox.take_due():
                        self._under_way += 1
                        self._threads().submit(self._attempt, company, delivery)
                dues = [due for one in self.companies.values() if (due := one.outbox.next_due()) is not None]
                if not dues and not self._under_way:
                    self._thread = None
                    return
            self._news.wait(max(0.0, min(dues) - time.monotonic()) if dues else None)

    def _client(self) -> httpx.Client:
        """Return this thread's client: making one takes longer than a call."""
        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = httpx.Client(trust_env=False, follow_redirects=False)
        return client

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, "webhook")
        return self._pool

    def _attempt(self, company: Company, delivery: Delivery) -> None:
        try:
            with self._lock:
                target = _target_of(company, delivery)
                timeout_s = float(str(company.switches["webhook_timeout_s"]))
            attempt = self._called(target, delivery, timeout_s) if target else {}
            with self._lock:
                self._note(company, delivery, attempt)
        finally:
            with self._lock:
                self._under_way -= 1
                self._news.set()

    def _note(self, company: Company, delivery: Delivery, attempt: Json) -> None:
        if not attempt:
            delivery.state = "dropped"
            return
        status = attempt.get("status", 0)
        success = status == 200 or (200 <= status < 300 and company.switches["webhook_success"] == "2xx")
        if company.outbox.ended(delivery, attempt, success=success) and delivery.hook in company.webhooks:
            company.webhooks[delivery.hook]["IsActive"] = False
            company.counters["webhooks_deactivated"] += 1
        company.counters["webhook_calls"] += 1

    def _called(self, target: Json, delivery: Delivery, timeout_s: float) -> Json:
        """Make the call; return its status, or why there was none."""
        attempt: Json = {"at": stamp(self._clock.now())}
        if not _is_loopback(target["url"]):
            return {**attempt, "error": "The stand-in calls nothing beyond this machine."}
        try:
            answer = self._client().post(
                target["url"], content=delivery.body, headers=target["headers"], timeout=timeout_s
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return {**attempt, "error": type(error).__name__}
        return {**attempt, "status": answer.status_code}


def _target_of(company: Company, delivery: Delivery) -> Json | None:
    """Return where a delivery goes now and with which headers; None where its webhook is off or gone."""
    if delivery.target is not None:
        return delivery.target
    hook = company.webhooks.get(delivery.hook)
    if hook is None or not hook["IsActive"]:
        return None
    return {"url": hook["ExternalURL"], "headers": _headers(hook)}


def _headers(hook: Json) -> dict[str, str]:
    headers = {row["Key"]: row["Value"] for row in hook["ExternalHeaders"]}
    headers["Content-Type"] = "application/json"
    if hook["ExternalAuthorizationType"] == "bearerauth":
        headers["Authorization"] = f"Bearer {hook['ExternalBearerToken']}"
    elif hook["ExternalAuthorizationType"] == "basicauth":
        pair = f"{hook['ExternalUserName']}:{hook['ExternalPassword']}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
