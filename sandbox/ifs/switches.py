"""Everything about this tenant that a test may change, with the defaults a new tenant would show."""

from typing import Annotated, Literal

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of /_sandbox/switches; keys left out stay as they are.

    Attributes:
        paging: `default_page` cuts a read without $top at `default_page_rows` and says nothing; `skip` cuts it at the
            cap only; `next_link` cuts every read at `next_link_rows` and gives a nextLink.
        page_cap: rows of one answer at most, applied silently.
        collection_etags: off, only a read by key tells the ETag.
        hidden_properties: per table, what this tenant does not have, such as Company on orders.
        supplier_change_date: supplier headers have a ChangeDate that moves with them.
        supplier_custom_fields: an administrator gave suppliers the custom fields Cf_Blocked, a flag, and Cf_ExpireDate.
        supplier_series: numbers suppliers that are created without a SupplierId, such as `S{:05}`; empty: nothing does.
        creation_order: whether payment information needs invoice information of its company, and purchase information
            both of them and an address, or only the supplier.
        voucher_custom_fields: an administrator gave vouchers the custom fields Cf_Cin7Check, a text, and
            Cf_Cin7CheckState, an enumeration.
        order_change_date: whether ChangeDate moves on edits of the header, never, or on edits of lines too.
        history: edits of suppliers and orders are logged.
        time_zone: zone of the wall clock that timestamps show, with a `Z` that means nothing.
        aware_tables: tables on which `X-Ifs-Time-Zone-Aware-Request` works; elsewhere it fails on timestamps.
        commit_lag_s: edits made through the control plane become visible this long after their timestamp.
        missing_match: a PATCH without If-Match is refused (`strict`) or creates and updates (`upsert`).
        stale_match: what a stale ETag gets: 412, or 400 with the database's code 20114.
        patch_answer: 200 with the row, or 204 without.
        system_fields: bookkeeping names in a body are ignored or refused.
        inactive_services: entity services that nobody activated; they answer `inactive_status`.
        url_bytes_max: a longer path and query gets 414 from the ingress.
        csrf: reads set session cookies, and a write to /main that brings them back needs the XSRF header.
    """

    paging: Literal["default_page", "skip", "next_link"] = "default_page"
    default_page_rows: Positive = 25
    next_link_rows: Positive = 100
    next_link_form: Literal["absolute", "relative"] = "absolute"
    page_cap: Positive = 5000
    collection_etags: bool = True
    hidden_properties: dict[str, list[str]] = {}
    supplier_change_date: bool = False
    supplier_custom_fields: bool = False
    supplier_series: str = ""
    creation_order: Literal["enforced", "references"] = "enforced"
    voucher_custom_fields: bool = True
    order_change_date: Literal["header", "never", "children"] = "header"
    history: bool = False
    time_zone: str = "Europe/Stockholm"
    aware_tables: list[str] = []
    commit_lag_s: Annotated[float, msgspec.Meta(ge=0)] = 0
    missing_match: Literal["strict", "upsert"] = "strict"
    stale_match: Literal["412", "20114"] = "412"
    patch_answer: Literal[200, 204] = 200
    system_fields: Literal["ignored", "refused"] = "ignored"
    inactive_services: list[str] = []
    inactive_status: Literal[403, 404] = 404
    objstate_filter: bool = True
    contains: bool = True
    count: bool = True
    select: bool = True
    csrf: bool = False
    refresh_token: bool = False
    url_bytes_max: Positive = 8192

    def changed(self, changes: dict[str, object]) -> "Switches":
        """Return these switches with `changes` made; raises msgspec.ValidationError on one that does not exist."""
        return msgspec.convert({**msgspec.to_builtins(self), **changes}, Switches)
