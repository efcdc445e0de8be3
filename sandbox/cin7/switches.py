"""What is unknown or varies about the real service, each with the default taken here and the alternatives."""

from collections.abc import Mapping

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
}

QUANTITY_MIN = 1


class Switches(dict[str, object]):
    """The settings of one company; a name or value that does not exist is refused."""

    def __init__(self, chosen: Mapping[str, object] | None = None) -> None:
        super().__init__({name: values[0] if values else QUANTITY_MIN for name, values in SWITCHES.items()})
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
