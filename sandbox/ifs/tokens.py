"""The token endpoint and who a bearer token stands for. Source: docs/apis/ifs.md#token."""

import base64
import secrets
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from sandbox.ifs.answers import Answer, Refused, Request, data
from sandbox.ifs.clock import Clock

_SCOPES: Final = frozenset({"openid", "microprofile-jwt", "audience", "email", "profile"})


class Client(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One IAM client.

    Attributes:
        companies: granted ones; None: all.
        services: granted projections and entity services; None: all.
    """

    client_id: str
    client_secret: str
    companies: frozenset[str] | None = None
    services: frozenset[str] | None = None


class Tokens:
    def __init__(self, clock: Clock) -> None:
        self.realm = "acme1"
        self.lifetime_s = 180.0
        self.refresh_token = False
        self.clients: dict[str, Client] = {}
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, str] = {}

    def revoke_all(self) -> None:
        self._issued.clear()

    def client_of(self, authorization: str) -> Client:
        """Return the client behind an Authorization header.

        Raises:
            Refused: 401, the token is missing, unknown or expired.
        """
        scheme, _, token = authorization.partition(" ")
        client_id, expires_at = self._issued.get(token, ("", 0.0))
        if scheme.lower() != "bearer" or self._clock.now_s() >= expires_at or client_id not in self.clients:
            raise Refused(401, "", "Unauthorized", body={"error": {"message": "Unauthorized"}})
        return self.clients[client_id]

    def endpoint(self, realm: str, request: Request) -> Answer:
        """Answer POST .../protocol/openid-connect/token as Keycloak does."""
        if realm != self.realm:
            raise _refused(404, "Realm does not exist")
        if request.method != "POST":
            raise _refused(405, "HTTP 405 Method Not Allowed")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise _refused(415, "HTTP 415 Unsupported Media Type")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client = self.clients.get(form.get("client_id", ""))
        if client is None or not secrets.compare_digest(
            client.client_secret.encode(), form.get("client_secret", "").encode()
        ):
            raise _refused(401, "invalid_client", "Invalid client or Invalid client credentials")
        if set(form.get("scope", "").split()) - _SCOPES:
            raise _refused(400, "invalid_scope", f"Invalid scopes: {form['scope']}")
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue(client)
            case "refresh_token" if self._refresh.pop(form.get("refresh_token", ""), "") == client.client_id:
                return self._issue(client)
            case "refresh_token":
                raise _refused(400, "invalid_grant", "Invalid refresh token")
        raise _refused(400, "unsupported_grant_type", "Unsupported grant_type")

    def discovery(self, realm: str, request: Request) -> Answer:
        """Answer the realm's openid-configuration."""
        if realm != self.realm:
            raise _refused(404, "Realm does not exist")
        issuer = f"{request.origin}/auth/realms/{realm}"
        return data({"issuer": issuer, "token_endpoint": f"{issuer}/protocol/openid-connect/token"})

    def _issue(self, client: Client) -> Answer:
        self._forget_expired()
        token = _opaque()
        self._issued[token] = (client.client_id, self._clock.now_s() + self.lifetime_s)
        body: dict[str, object] = {
            "access_token": token,
            "expires_in": int(self.lifetime_s),
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "openid audience microprofile-jwt email profile",
        }
        if self.refresh_token:
            body["refresh_token"] = _opaque()
            body["refresh_expires_in"] = 1800
            self._refresh[str(body["refresh_token"])] = client.client_id
        return data(body, headers=(("Cache-Control", "no-store"),))

    def _forget_expired(self) -> None:
        now = self._clock.now_s()
        self._issued = {token: held for token, held in self._issued.items() if held[1] > now}


def _opaque() -> str:
    """Return something that looks like a JWT and says nothing."""
    header = base64.urlsafe_b64encode(b'{"alg":"RS256","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{secrets.token_urlsafe(48)}.{secrets.token_urlsafe(32)}"


def _refused(status: int, error: str, description: str = "") -> Refused:
    body = {"error": error, "error_description": description} if description else {"error": error}
    return Refused(status, error, description or error, body=body)
