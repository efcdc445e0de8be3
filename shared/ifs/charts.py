"""A company's chart of accounts in IFS, read in full: a few thousand rows, with no time of last change to ask for."""

import msgspec

from shared.config.settings import StreamSettings
from shared.ifs.client import IfsClient
from shared.ifs.documents import decode
from shared.ifs.odata import both, equals
from shared.ifs.records.accounts import SOURCE, Account
from shared.ifs.scanning import Query, pages
from shared.ifs.sources import compose


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of one company by number; `unreadable` says of each that is not among them what is wrong."""

    company: str
    accounts: dict[str, Account] = {}
    unreadable: tuple[str, ...] = ()


def read_chart(client: IfsClient, stream: StreamSettings, company: str, *, lane: str) -> Chart:
    """Return the chart of `company`: empty where IFS does not show the company to the connector's user.

    Raises:
        ConnectorError: a call failed.
    """
    bound = SOURCE.bound(stream)
    header = bound.header
    query = Query(
        service=header.service,
        path=header.entity_set,
        title=header.title,
        order=header.order,
        condition=both(stream.filter, equals(header.properties["company"], company)),
        strict=True,
    )
    accounts: dict[str, Account] = {}
    unreadable: list[str] = []
    for page in pages(client, query, lane=lane):
        for row in page.rows:
            found = decode(bound, compose(row, {}))
            if isinstance(found, list):
                unreadable += [f"Account {bound.identity(row)}: {finding.message}" for finding in found]
            elif found.header.company == company:
                accounts[found.header.account] = found.header
    return Chart(company=company, accounts=accounts, unreadable=tuple(unreadable))
