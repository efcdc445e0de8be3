"""What is unknown or varies about the real service, each with the default taken here and the alternatives."""

from collections.abc import Mapping
from decimal import Decimal

#: Switch to its allowed values, the default first. `None` allows any number.
SWITCHES: dict[str, tuple[object, ...] | None] = {
    "unknown_path": ("html200", "404", "redirect"),
    "credentials_body": ("text", "json", "error"),
    "error_shape": ("array", "object"),
    "modified_since": ("inclusive", "exclusive"),
    "limit_out_of_range": ("400", "clamp"),
    "refused_calls_count": (False, True),
    "left_out_children": ("kept", "removed"),
    "attributes_need_set": (False, True),
    "supplier_put_needs_all": (False, True),
    "too_long": ("400", "truncate"),
    "system_account_style": ("new", "old"),
    "guid_case": ("lower", "upper"),
    "decimal_style": ("as-sent", "four"),
    "purchase_type_absent": ("Simple", "Advanced"),
    "order_needs_both_ids": (True, False),
    "charge_descriptions": ("free", "service-products"),
    "recompute_tax": (False, True),
    "header_locks": (True, False),
    "stages_lock": (True, False),
    "void_twice": ("refused", "ok"),
    "first_invoice_task": ("purchase-id", "own"),
    "new_invoice_task": ("zero-guid", "omitted"),
    "duplicate_invoice_numbers": ("allowed", "refused"),
    "control_totals": ("checked", "ignored"),
    "stock_line_accounts": ("any", "asset"),
    "lock_date": ("exclusive", "inclusive"),
    "credit_note_invoice": ("any", "known"),
    "list_invoice": ("first", "last"),
    "list_amount": ("all", "shown"),
    "list_stamp": ("exact", "seconds"),
    "invoice_search": ("all", "shown"),
    "product_match": ("contains", "prefix"),
    "quantity_min": None,
    #: How an account without the module for webhooks refuses: an error array, a status, or an HTML page.
    "automation_module": ("there", "400", "403", "page"),
    "webhook_limit_counts": ("all", "active"),
    "webhook_secrets": ("clear", "empty"),
    "webhook_put": ("replace", "merge"),
    "webhook_answer": ("one", "all"),
    #: Documented: small events in capitals, suppliers in lower case.
    "webhook_guid_case": ("documented", "upper", "lower"),
    "webhook_on_create": (True, False),
    "webhook_success": ("2xx", "200"),
    "webhook_minute_s": None,
    "webhook_timeout_s": None,
}

#: What a switch that takes any number is at first.
NUMBERS: dict[str, float] = {"quantity_min": 1, "webhook_minute_s": 60, "webhook_timeout_s": 10}


class Switches(dict[str, object]):
    """The settings of one company; a name or value that does not exist is refused."""

    def __init__(self, chosen: Mapping[str, object] | None = None) -> None:
        super().__init__({name: values[0] if values else NUMBERS[name] for name, values in SWITCHES.items()})
        self.choose(chosen or {})

    def choose(self, chosen: Mapping[str, object]) -> None:
        """Set the named switches, all or none; raises ValueError naming the one that is wrong."""
        self.check(chosen)
        self.update(chosen)

    @staticmethod
    def check(chosen: Mapping[str, object]) -> None:
        for name, value in chosen.items():
            if name not in SWITCHES:
                raise ValueError(f"There is no switch {name!r}; there are: {', '.join(SWITCHES)}.")
            allowed = SWITCHES[name]
            if allowed is not None and value not in allowed:
                raise ValueError(f"Switch {name!r} cannot be {value!r}; it is one of {allowed}.")
            if name.startswith("webhook_") and allowed is None and not _is_positive(value):
                raise ValueError(f"Switch {name!r} cannot be {value!r}; it is a number of seconds above 0.")


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value > 0
