"""What `connector.toml` may say, with every default. Pure: `loading.py` reads the file."""

from typing import Annotated, Literal

import msgspec

Strategy = Literal["auto", "modified", "history", "sweep"]
Side = Literal["ifs", "cin7", "newest", "hold"]
Positive = Annotated[int, msgspec.Meta(gt=0)]


class SetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a child set of a flow lives; an empty text or table means the built-in default."""

    service: str = ""
    entity_set: str = ""
    modified_field: str = ""
    fields: dict[str, str] = {}


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[ifs.streams.<name>]` section; empty texts mean the flow's built-in default."""

    enabled: bool = True
    every_s: Annotated[float, msgspec.Meta(gt=0)] = 60
    strategy: Strategy = "auto"
    modified_field: str = ""
    service: str = ""
    entity_set: str = ""
    filter: str = ""
    start_from: str = ""
    fields: dict[str, str] = {}
    sets: dict[str, SetSettings] = {}


class IfsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    base_url: str
    realm: str
    token_url: str = ""
    scope: str = "openid microprofile-jwt"
    projection_prefix: str = "/main/ifsapplications/projection/v1"
    entity_prefix: str = "/int/ifsapplications/entity/v1"
    service_suffix: str = ".svc"
    page_size: Annotated[int, msgspec.Meta(ge=1, le=4999)] = 500
    requests_per_minute: Positive = 600
    token_refresh_s: Positive = 3000
    overlap_s: Annotated[int, msgspec.Meta(ge=0)] = 900
    time_zone: str = "UTC"
    time_zone_aware: bool = False
    read_timeout_s: Positive = 120
    sweep_at: str = "02:30"
    #: Seconds to wait before looking for a row whose creation was not answered.
    settle_s: Annotated[float, msgspec.Meta(ge=0)] = 5
    #: Properties that a supplier created in IFS is given, by set, such as `{ invoice_info = { GroupId = "1" } }`.
    new_supplier: dict[str, dict[str, str | bool | int]] = {}
    #: Property of a supplier's header that shows Cin7's id where IFS numbers new suppliers itself: by it one is found
    #: again whose number was not answered.
    new_supplier_mark: str = "SuppliersOwnId"
    streams: dict[str, StreamSettings] = {}

    def stream(self, name: str) -> StreamSettings:
        return self.streams.get(name, StreamSettings())


class Cin7Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[cin7.<account>]` section."""

    base_url: str = "https://inventory.dearsystems.com/ExternalApi/v2/"
    calls_per_minute: Positive = 60
    #: Length of the window in which that many calls are allowed, seconds. Cin7's is 60.
    window_s: Annotated[float, msgspec.Meta(gt=0)] = 60
    supplier_number_attribute: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    attribute_set: str = ""
    approach: Literal["INVOICE", "STOCK"] = "INVOICE"
    order_status: Literal["AUTHORISED", "DRAFT"] = "AUTHORISED"
    gl_line_description: str = "line"
    poll_suppliers_every_s: Annotated[float, msgspec.Meta(gt=0)] = 60
    #: Seconds by which each read of suppliers looks back before the newest stamp seen.
    overlap_s: Annotated[int, msgspec.Meta(ge=0)] = 300
    #: What becomes the number of a supplier that is created in IFS: what a person wrote into the attribute that shows
    #: it, or the next of IFS's own series.
    new_supplier_number: Literal["attribute", "series"] = "attribute"
    #: Suppliers read in a minute because webhooks named them, and the seconds in which none is read a second time.
    hint_reads_per_minute: Positive = 20
    hint_rest_s: Annotated[float, msgspec.Meta(ge=0)] = 10
    #: Seconds between looks whether Cin7 still calls our webhooks, and whether one that it switched off is to be
    #: switched on again by itself.
    hooks_look_every_s: Annotated[float, msgspec.Meta(gt=0)] = 900
    hooks_reactivate: bool = False
    read_back: bool = True
    settle_s: Annotated[float, msgspec.Meta(ge=0)] = 5
    read_timeout_s: Positive = 30


class States(msgspec.Struct, frozen=True):
    """Which states of a flow's documents matter.

    Attributes:
        live: creates or amends.
        cancelled: takes back.
        ignored: leaves alone.
        later: past those: leaves alone what is first seen in one; what was seen before goes on.
    """

    live: tuple[str, ...]
    cancelled: tuple[str, ...]
    ignored: tuple[str, ...]
    later: tuple[str, ...] = ()

    def is_live(self, state: str) -> bool:
        return _among(state, self.live) or self.is_later(state)

    def is_later(self, state: str) -> bool:
        return _among(state, self.later)

    def is_cancelled(self, state: str) -> bool:
        return _among(state, self.cancelled)

    def is_ignored(self, state: str) -> bool:
        return _among(state, self.ignored)


def _among(state: str, known: tuple[str, ...]) -> bool:
    return state.strip().casefold() in {word.casefold() for word in known}


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    accounts: Literal["same-code", "explicit"] = "same-code"
    supplier_conflict: Side | dict[str, Side] = "hold"
    cin7_supplier_unknown: Literal["hold", "create"] = "hold"
    total_tolerance: str = "0.01"
    auto_replay: bool = True
    journal_verdict_field: str = ""
    #: What that field is set to: members of its enumeration, or any text.
    journal_verdict_passed: str = "CfEnum_PASSED"
    journal_verdict_failed: str = "CfEnum_FAILED"
    #: Order states that create or amend the purchase, and those that void it; all other known states are left alone.
    order_states: tuple[str, ...] = ("Released", "Confirmed")
    cancelled_states: tuple[str, ...] = ("Cancelled",)
    ignored_states: tuple[str, ...] = ("Planned", "Stopped")
    #: States past those: an order first seen in one is left alone, but one that was seen before still goes on.
    later_states: tuple[str, ...] = ("Received", "Arrived", "Invoiced", "Closed")
    #: Invoice states that create or amend the invoice, that void it, and that are left alone: nothing is booked yet.
    invoice_states: tuple[str, ...] = (
        "Posted",
        "PostedAuth",
        "PartlyPaidPosted",
        "PartlyPaidPostedAuth",
        "PaidPosted",
    )
    invoice_cancelled_states: tuple[str, ...] = ("Cancelled",)
    invoice_ignored_states: tuple[str, ...] = ("Preliminary", "PrelPosted", "PrelPostedAuth")
    #: Invoice types that are credit notes whatever the sign of their amounts.
    credit_note_types: tuple[str, ...] = ()
    #: Posting types of invoices that carry no cost (payables, tax), where a tenant names them.
    ignored_posting_types: tuple[str, ...] = ()
    #: Code part that carries the cost centre.
    cost_centre: Literal["B", "C", "D", "E", "F", "G", "H", "I", "J"] = "B"
    #: Seconds after which a record that waits for another becomes a hold that names it.
    wait_limit_s: Positive = 86_400
    #: A supplier that was written more often than this within so many seconds is held as a loop.
    loop_changes: Positive = 6
    loop_window_s: Positive = 600
    #: Seconds after which the work of a process that gave no sign of life is taken over by another. Above the longest
    #: call that a writer makes (`read_timeout_s` of its account).
    lease_s: Annotated[float, msgspec.Meta(gt=0)] = 60
    #: When this month and the one before are compared every night, on the clock of IFS's time zone; empty: never.
    reconcile_at: str = "04:30"
    #: Attempts with back-off before a record that keeps failing is held.
    attempts_max: Positive = 20

    @property
    def states(self) -> dict[str, States]:
        """What the states of documents mean, by flow; those of a flow that is not here do not matter."""
        return {
            "purchase_orders": States(self.order_states, self.cancelled_states, self.ignored_states, self.later_states),
            "supplier_invoices": States(
                self.invoice_states, self.invoice_cancelled_states, self.invoice_ignored_states
            ),
        }


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    ifs: IfsSettings
    cin7: dict[str, Cin7Settings]
    policy: PolicySettings = PolicySettings()
