"""PostgreSQL and Redis inside the connector's own process tree, for a laptop, a demo and the tests."""

from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.redis import EmbeddedRedis
from shared.embedded.sharing import Urls, resolve

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "Urls", "resolve"]
