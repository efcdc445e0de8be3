"""What the connector takes for granted, asked of a real tenant; it only reads.

Environment: IFS_BASE_URL, IFS_REALM, IFS_CLIENT_ID, IFS_CLIENT_SECRET, and IFS_TIME_ZONE where it is not UTC.
"""

import os
from collections.abc import Iterator

import pytest
import redis

from shared.config.credentials import IfsCredentials
from shared.config.settings import IfsSettings, StreamSettings
from shared.ifs import documents, reading
from shared.ifs.client import IfsClient
from shared.ifs.odata import url
from shared.ifs.records import purchase_orders, suppliers
from shared.ifs.sources import Source
from shared.rows import Row
from tests.contract.ifs_tenants import client_for

NAMES = ("IFS_BASE_URL", "IFS_REALM", "IFS_CLIENT_ID", "IFS_CLIENT_SECRET")
SOURCES = (suppliers.SOURCE, purchase_orders.SOURCE)

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not all(os.environ.get(name) for name in NAMES), reason=f"needs {', '.join(NAMES)}"),
]


@pytest.fixture
def client(redis_url: str) -> Iterator[IfsClient]:
    base_url, realm, client_id, client_secret = (os.environ[name] for name in NAMES)
    settings = IfsSettings(base_url=base_url, realm=realm, time_zone=os.environ.get("IFS_TIME_ZONE", "UTC"))
    credentials = IfsCredentials(client_id=client_id, client_secret=client_secret)
    with redis.Redis.from_url(redis_url) as shared:
        client = client_for(settings, credentials, shared)
        yield client
        client.close()


def some(client: IfsClient, source: Source, condition: str = "", top: int = 50) -> tuple[Row, ...]:
    header = source.bound(StreamSettings()).header
    address = url(client.root(header.service), header.entity_set, condition=condition, order=header.key[0], top=top)
    return client.page(address, what=header.title, lane="live").rows


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.flow)
def test_the_header_set_has_every_property_that_a_record_must_have(client: IfsClient, source: Source) -> None:
    bound = source.bound(StreamSettings())
    properties = client.metadata(bound.header.service, lane="live")[bound.header.entity_set]
    assert set(bound.header.key) <= properties.keys()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.flow)
def test_the_order_of_keys_agrees_with_their_comparison(client: IfsClient, source: Source) -> None:
    """Where it does not (a linguistic order, a binary comparison), keyset pages would skip rows."""
    bound = source.bound(StreamSettings())
    keys = [bound.key(row.values) for row in some(client, source)]
    if len(keys) < 3:
        pytest.skip("needs three records")
    middle = keys[len(keys) // 2].replace("'", "''")
    after = some(client, source, condition=f"{bound.header.key[0]} gt '{middle}'")
    assert [bound.key(row.values) for row in after][: len(keys) // 2 - 1] == keys[len(keys) // 2 + 1 :][
        : len(keys) // 2 - 1
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.flow)
def test_a_record_is_read_whole_and_decoded(client: IfsClient, source: Source) -> None:
    bound = source.bound(StreamSettings())
    rows = some(client, source, top=1)
    if not rows:
        pytest.skip("needs a record, and a user that may see it")
    key = bound.key(rows[0].values)
    found = reading.read_by_key(client, source, StreamSettings(), [key], lane="live")
    assert isinstance(documents.decode(bound, found[key].raw), source.document)


def test_every_site_has_a_company(client: IfsClient) -> None:
    assert reading.sites(client, lane="live")
