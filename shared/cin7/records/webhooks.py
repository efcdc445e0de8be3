"""A webhook as Cin7 holds it. Source: docs/apis/cin7.md#webhooks."""

import msgspec

#: The one type that is of use: there is none for accounts, terms or other reference data.
SUPPLIER_UPDATED = "Supplier/Updated"
BEARER = "bearerauth"


class Header(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    key: str
    value: str = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`external_bearer_token` may come back empty although there is one."""

    id: str | None = msgspec.field(default=None, name="ID")
    type: str
    is_active: bool = True
    external_url: str = msgspec.field(name="ExternalURL")
    external_authorization_type: str = BEARER
    external_user_name: str = ""
    external_password: str = ""
    external_bearer_token: str = ""
    external_headers: tuple[Header, ...] = ()

    def __repr__(self) -> str:
        # Three of the fields are secrets, and a header may be one.
        return f"Webhook(id={self.id!r}, type={self.type!r}, is_active={self.is_active!r})"
