"""One Cin7 account: one method per call we make. Never retries; only the queue does."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

import redis

from shared.budgets import Budget
from shared.cin7 import answers, requests, wire
from shared.cin7.answers import Page, Row
from shared.cin7.errors import Cin7Throttled
from shared.cin7.exact import exact_rows
from shared.cin7.records.invoices import CreditNote, Invoice
from shared.cin7.records.purchases import Order, Purchase, PurchaseHeader, PurchaseRow
from shared.cin7.records.suppliers import Supplier
from shared.cin7.records.webhooks import Webhook
from shared.cin7.requests import Request, get
from shared.config.credentials import Cin7Credentials
from shared.config.settings import Cin7Settings
from shared.http import Answer, Http
from shared.rows import Row as ExactRow

#: The largest page. Source: docs/apis/cin7.md#paging.
LIMIT_MAX: Final = 1000
#: Seconds to wait for a permitted call where none was taken before: a throttled account must not hold up whoever only
#: wants to look something up.
PATIENCE_S: Final = 30.0
#: Pages of one list, so that a list which never ends does not hold a process for ever.
PAGES_MAX: Final = 10_000

T = TypeVar("T")


class Cin7Client:
    """Calls one account within the budget of its keys, whichever process asks.

    Every method takes `slot`, a call taken from `budget` before (`early=True` will do); without one it waits for a
    call in its `lane`.

    Every method raises:
        Cin7Throttled: too many calls; that key is closed for all processes until it may be used again.
        Cin7Denied, Cin7Refused, Cin7Unclear: see shared/cin7/wire.py.
        Retryable: the call did not come about, or its answer did not arrive.

    Args:
        settings: of the account.
        credentials: application keys in the order of the budget's labels.
        http: to the account's origin.
        budget: shares out the calls of the account's keys.
    """

    def __init__(self, settings: Cin7Settings, credentials: Cin7Credentials, http: Http, budget: Budget) -> None:
        self.settings = settings
        self.budget = budget
        self._http = http
        self._base = f"{urlsplit(settings.base_url).path.rstrip('/')}/"
        self._headers = {
            label: {
                "api-auth-accountid": credentials.account_id,
                "api-auth-applicationkey": key,
                "Content-Type": "application/json",
                "Accept": "application/json",
            }
            for label, key in zip(budget.keys, credentials.application_keys, strict=True)
        }

    def send(self, request: Request, *, slot: str | None = None, lane: str = "live") -> Answer:
        """Make one call and return its answer, to be understood with `wire.read`.

        Raises:
            Cin7Throttled: refused for its rate.
            Retryable: no call was free for a while, or there was no answer; `executed` tells whether Cin7 may have
                acted.
        """
        slot = slot if slot is not None else self.budget.take(lane, timeout_s=PATIENCE_S, early=True)
        with self.budget.spending(slot):
            answer = self._http.send(
                request.method, self._base + request.path, headers=self._headers[slot], content=request.body
            )
        try:
            wire.check_rate(answer)
        except Cin7Throttled as throttled:
            self.budget.close(slot, throttled.delay_s or 0)
            raise
        return answer

    def call(self, request: Request, *, slot: str | None = None, lane: str = "live") -> object:
        """Make one call and return the JSON of its answer."""
        return wire.read(self.send(request, slot=slot, lane=lane))

    # Suppliers

    def suppliers_page(
        self,
        page: int,
        *,
        name: str | None = None,
        modified_since: str | None = None,
        include_deprecated: bool = True,
        limit: int = LIMIT_MAX,
        slot: str | None = None,
        lane: str = "live",
    ) -> tuple[int, list[Supplier]]:
        """Return how many suppliers match in all, and those of one page.

        Args:
            page: counted from 1.
            name: a prefix, not the whole name.
            modified_since: `yyyy-MM-ddTHH:mm:ss.fff`, UTC.
            include_deprecated: without them a supplier that turns deprecated vanishes from the list.
            limit: suppliers per page, at most LIMIT_MAX.
            slot: a call taken before.
            lane: where to wait for one otherwise.
        """
        request = get(
            "supplier",
            Page=page,
            Limit=limit,
            Name=name,
            ModifiedSince=modified_since,
            IncludeDeprecated=include_deprecated or None,
        )
        found = answers.page(self.call(request, slot=slot, lane=lane), "SupplierList")
        return found.total, [answers.supplier(row) for row in found.rows]

    def supplier_rows(
        self, page: int, *, modified_since: str | None = None, slot: str | None = None, lane: str = "live"
    ) -> tuple[int, list[ExactRow]]:
        """Return how many suppliers match in all, deprecated ones too, and those of one page as their exact bytes.

        Raises:
            Cin7Unclear: the answer holds no list of suppliers.
        """
        request = get("supplier", Page=page, Limit=LIMIT_MAX, ModifiedSince=modified_since, IncludeDeprecated=True)
        return exact_rows(self.send(request, slot=slot, lane=lane), "SupplierList")

    def supplier_row(self, supplier_id: str, *, slot: str | None = None, lane: str = "live") -> list[ExactRow]:
        """Return the supplier with this id as its exact bytes; nothing where Cin7 does not have it."""
        request = get("supplier", ID=supplier_id, IncludeDeprecated=True)
        _, found = exact_rows(self.send(request, slot=slot, lane=lane), "SupplierList")
        return [row for row in found if str(row.values.get("ID", "")).strip().lower() == supplier_id.lower()]

    def supplier(self, supplier_id: str, *, slot: str | None = None, lane: str = "live") -> Supplier | None:
        request = get("supplier", ID=supplier_id, IncludeDeprecated=True)
        found = answers.suppliers(self.call(request, slot=slot, lane=lane))
        return next((supplier for supplier in found if supplier.id == supplier_id.lower()), None)

    def supplier_by_name(self, name: str, *, slot: str | None = None, lane: str = "live") -> list[Supplier]:
        """Return every supplier whose name begins with `name`, deprecated too; `slot` serves the first page."""
        first = [slot]

        def fetch(number: int) -> tuple[int, list[Supplier]]:
            return self.suppliers_page(number, name=name, slot=first.pop() if first else None, lane=lane)

        return list(every(fetch))

    def create_supplier(self, supplier: Supplier, *, slot: str | None = None) -> Supplier:
        return answers.written_supplier(self.call(requests.create_supplier_request(supplier), slot=slot))

    def update_supplier(self, supplier: Supplier, *, slot: str | None = None) -> Supplier:
        return answers.written_supplier(self.call(requests.update_supplier_request(supplier), slot=slot))

    # Purchases

    def purchase(self, purchase_id: str, *, slot: str | None = None, lane: str = "live") -> Purchase:
        return answers.purchase(self.call(get("advanced-purchase", ID=purchase_id), slot=slot, lane=lane))

    def create_purchase(self, header: PurchaseHeader, *, slot: str | None = None) -> Purchase:
        """Create a purchase without lines; `write_order` brings them."""
        return answers.purchase(self.call(requests.create_purchase_request(header), slot=slot))

    def update_purchase(self, purchase_id: str, header: PurchaseHeader, *, slot: str | None = None) -> Purchase:
        return answers.purchase(self.call(requests.update_purchase_request(purchase_id, header), slot=slot))

    def order(self, purchase_id: str, *, slot: str | None = None, lane: str = "live") -> Order:
        request = get("purchase/order", TaskID=purchase_id, CombineAdditionalCharges=False)
        return answers.order(self.call(request, slot=slot, lane=lane))

    def write_order(self, purchase_id: str, order: Order, *, slot: str | None = None) -> Order:
        """Replace the lines and charges of an order that is not authorised."""
        return answers.order(self.call(requests.write_order_request(purchase_id, order), slot=slot))

    def undo_purchase(self, purchase_id: str, *, slot: str | None = None) -> Purchase:
        return answers.purchase(self.call(requests.undo_purchase_request(purchase_id), slot=slot))

    def void_purchase(self, purchase_id: str, *, slot: str | None = None) -> Purchase:
        return answers.purchase(self.call(requests.void_purchase_request(purchase_id), slot=slot))

    def invoices(self, purchase_id: str, *, slot: str | None = None, lane: str = "live") -> tuple[Invoice, ...]:
        request = get("advanced-purchase/invoice", PurchaseID=purchase_id, CombineAdditionalCharges=False)
        return answers.invoices(self.call(request, slot=slot, lane=lane))

    def write_invoice(self, purchase_id: str, invoice: Invoice, *, slot: str | None = None) -> tuple[Invoice, ...]:
        """Add an invoice, or write a draft anew; return all invoices of the purchase."""
        return answers.invoices(self.call(requests.write_invoice_request(purchase_id, invoice), slot=slot))

    # What these answer is on no record: the purchase tells whether it was done.

    def undo_invoice(self, task_id: str, *, slot: str | None = None) -> None:
        self.call(requests.undo_invoice_request(task_id), slot=slot)

    def void_invoice(self, task_id: str, *, slot: str | None = None) -> None:
        self.call(requests.void_invoice_request(task_id), slot=slot)

    def credit_notes(self, purchase_id: str, *, slot: str | None = None, lane: str = "live") -> tuple[CreditNote, ...]:
        request = get("advanced-purchase/creditnote", PurchaseID=purchase_id, CombineAdditionalCharges=False)
        return answers.credit_notes(self.call(request, slot=slot, lane=lane))

    def write_credit_note(
        self, purchase_id: str, note: CreditNote, *, slot: str | None = None
    ) -> tuple[CreditNote, ...]:
        """Add a credit note, or write a draft anew; return all credit notes of the purchase."""
        return answers.credit_notes(self.call(requests.write_credit_note_request(purchase_id, note), slot=slot))

    def void_credit_note(self, task_id: str, *, slot: str | None = None) -> None:
        self.call(requests.void_credit_note_request(task_id), slot=slot)

    def purchase_list(
        self,
        page: int = 1,
        *,
        search: str | None = None,
        updated_since: str | None = None,
        limit: int = LIMIT_MAX,
        slot: str | None = None,
        lane: str = "live",
    ) -> tuple[int, list[PurchaseRow]]:
        """Return how many purchases match in all, and those of one page, by ascending number.

        Args:
            page: counted from 1.
            search: contained in number, status, supplier, or invoice or credit note number; notes are not searched.
            updated_since: `yyyy-MM-ddTHH:mm:ss.fff`, UTC.
            limit: purchases per page, at most LIMIT_MAX.
            slot: a call taken before.
            lane: where to wait for one otherwise.
        """
        request = get("purchaseList", Page=page, Limit=limit, Search=search, UpdatedSince=updated_since)
        found = answers.page(self.call(request, slot=slot, lane=lane), "PurchaseList")
        return found.total, [answers.purchase_row(row) for row in found.rows]

    # Webhooks; all of them are changed by whoever holds a key, so that ours are told apart by their id

    def webhooks(self, *, lane: str = "live") -> list[Webhook]:
        """Return every webhook of the account, whoever made it."""
        return answers.webhooks(self.call(get("webhooks"), lane=lane))

    def create_webhook(self, webhook: Webhook) -> list[Webhook]:
        """Create one; return what the answer lists, which may be this one or all."""
        return answers.webhooks(self.call(requests.create_webhook_request(webhook)))

    def update_webhook(self, webhook: Webhook) -> list[Webhook]:
        return answers.webhooks(self.call(requests.update_webhook_request(webhook)))

    def delete_webhook(self, webhook_id: str) -> list[Webhook]:
        """Delete one; return those that are left."""
        return answers.webhooks(self.call(requests.delete_webhook_request(webhook_id)))

    # Reference data, as Cin7's own rows

    def me(self, *, slot: str | None = None, lane: str = "live") -> Row:
        """Return the company; the cheapest test of the credentials."""
        return answers.row_of(self.call(get("me"), slot=slot, lane=lane), "the company")

    def accounts(self, *, lane: str = "live") -> list[Row]:
        return self._whole("ref/account", "AccountsList", lane)

    def terms(self, *, lane: str = "live") -> list[Row]:
        return self._whole("ref/paymentterm", "PaymentTermList", lane)

    def tax_rules(self, *, lane: str = "live") -> list[Row]:
        return self._whole("ref/tax", "TaxRuleList", lane)

    def locations(self, *, lane: str = "live") -> list[Row]:
        return self._whole("ref/location", "LocationList", lane)

    def attribute_sets(self, *, lane: str = "live") -> list[Row]:
        return self._whole("ref/attributeset", "AttributeSetList", lane)

    def products_page(self, page: int, *, slot: str | None = None, lane: str = "live") -> Page:
        request = get("product", Page=page, Limit=LIMIT_MAX, IncludeDeprecated=True)
        return answers.page(self.call(request, slot=slot, lane=lane), "Products")

    def _whole(self, endpoint: str, key: str, lane: str) -> list[Row]:
        def fetch(number: int) -> Page:
            return answers.page(self.call(get(endpoint, Page=number, Limit=LIMIT_MAX), lane=lane), key)

        return list(every(fetch))


def every(fetch: Callable[[int], tuple[int, Sequence[T]]]) -> Iterator[T]:
    """Yield the rows of every page; `fetch` returns how many there are in all, and those of one page."""
    seen = 0
    for number in range(1, PAGES_MAX + 1):
        total, page = fetch(number)
        yield from page
        seen += len(page)
        # The page may be smaller than asked for, so only the count tells which is the last.
        if not page or seen >= total:
            return


def connect(
    account: str, settings: Cin7Settings, credentials: Cin7Credentials, client: "redis.Redis", *, connections: int = 16
) -> Cin7Client:
    """Return the client of `account`, for all threads of this process.

    Args:
        account: its name in the configuration.
        settings: its section there.
        credentials: its id and keys; only their labels, such as `main/1`, are ever shown.
        client: the Redis that shares out the calls.
        connections: at least the number of threads that call at the same time.
    """
    http = Http(settings.base_url, timeout_s=settings.read_timeout_s, connections=connections)
    return Cin7Client(settings, credentials, http, budget_of(account, settings, credentials, client))


def budget_of(account: str, settings: Cin7Settings, credentials: Cin7Credentials, client: "redis.Redis") -> Budget:
    """Return the budget of `account`, which every process shares that names it alike."""
    labels = [f"{account}/{number}" for number in range(1, len(credentials.application_keys) + 1)]
    return Budget(client, f"cin7/{account}", labels, settings.calls_per_minute, settings.window_s)
