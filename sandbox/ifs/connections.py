"""HTTP connections that a stand-in can cut without a word, which no ASGI server offers by itself."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class CuttableProtocol(H11Protocol):
    """uvicorn's own protocol, which also remembers who is connected so that `cut` finds the connection."""

    _open: ClassVar[dict[tuple[Any, Any], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As uvicorn declares it.
        # asyncio leaves this off on sockets opened without naming TCP; head and body then wait for each other.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._ends = (self.client, self.server)
        self._open[self._ends] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.pop(self._ends, None)
        super().connection_lost(exc)

    @classmethod
    async def cut(cls, scope: Mapping[str, Any]) -> bool:
        """Reset the connection of a request; False: it did not come in over this protocol."""
        transport = cls._open.get((_pair(scope.get("client")), _pair(scope.get("server"))))
        if transport is None:
            return False
        transport.abort()
        # The loss is announced in a later turn of the loop; an answer before that would be taken for an error.
        while (
            not transport.is_closing() or cls._open.get((_pair(scope["client"]), _pair(scope["server"]))) is transport
        ):
            await asyncio.sleep(0)
        return True


def _pair(address: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return tuple(address) if address else None
