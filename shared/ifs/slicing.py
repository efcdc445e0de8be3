"""Reads finance records company by company, so that every query names its company, and those of others are noticed.

Source of the facts: docs/apis/ifs.md#companies.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from shared.config.settings import StreamSettings
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.odata import URL_LENGTH_MAX, both, encoded, equals
from shared.ifs.sources import Bound
from shared.pulled import Batch

#: Encoded characters that the company's condition may take: the rest of the address needs room, too.
_CONDITION_MAX: Final = URL_LENGTH_MAX // 2
#: Answers of a tenant that does not let companies be asked for which are none of ours.
_UNASKED: Final = frozenset({400, 403, 404, 501})

#: The pages of one company's records, from where its watermark is.
Read = Callable[[StreamSettings, str | None], Iterator[Batch]]


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Which companies' rows one query is about.

    `company` is empty for those of all companies that are not known: they must be noticed, and held.
    """

    company: str
    condition: str


def slices(companies: Iterable[str], field: str) -> list[Slice]:
    """Return one slice for each known company, and one for all others, so that every query names its companies.

    With more known companies than one condition can name, the others are not asked for.
    """
    named = [Slice(company=company, condition=equals(field, company)) for company in sorted(set(companies))]
    known = " or ".join(one.condition for one in named)
    if len(encoded(known)) > _CONDITION_MAX:
        return named
    return [*named, Slice(company="", condition=f"not ({known})" if known else "")]


def asked_for(stream: StreamSettings, of_all: Sequence[Slice], first: str) -> str:
    """Return what is asked for, company by company, for the audit, which keeps that of the first page."""
    return "; ".join([first, *(both(stream.filter, of.condition) for of in of_all[1:])])


class Others:
    """Whether the tenant lets other companies than ours be asked for; where it does not, that is no fault."""

    def __init__(self, client: IfsClient, bound: Bound, companies: Sequence[str]) -> None:
        self._client = client
        self._known = bool(companies)
        self._name = f"{bound.header.title} of other companies"

    def are_out_of_reach(self, of: Slice) -> bool:
        """Say whether a slice need not be asked for, since it was refused a while ago."""
        return not of.company and self._client.memory.is_missing(self._name)

    def forgive(self, of: Slice, error: IfsDenied | IfsRefused) -> None:
        """Remember that other companies cannot be asked for. Where none is known, there is nothing else to ask for."""
        if of.company or not self._known or error.status not in _UNASKED:
            raise error
        self._client.memory.miss(self._name)


def by_company(
    client: IfsClient,
    bound: Bound,
    stream: StreamSettings,
    *,
    companies: Sequence[str],
    watermark: str | None,
    read: Read,
) -> Iterator[Batch]:
    """Yield what `read` yields for each company in turn; each has a watermark of its own within the stream's.

    Raises:
        ConnectorError: as `read`.
    """
    marks = _marks(watermark)
    of_all = slices(companies, bound.header.properties["company"])
    others = Others(client, bound, companies)
    for of in of_all:
        if others.are_out_of_reach(of):
            continue
        try:
            for batch in read(
                msgspec.structs.replace(stream, filter=both(stream.filter, of.condition)), marks.get(of.company)
            ):
                marks[of.company] = batch.reached
                asked = asked_for(stream, of_all, batch.filter) if of is of_all[0] else batch.filter
                yield msgspec.structs.replace(batch, filter=asked, reached=msgspec.json.encode(marks).decode())
        except (IfsDenied, IfsRefused) as error:
            others.forgive(of, error)


def _marks(watermark: str | None) -> dict[str, str]:
    try:
        return msgspec.json.decode(watermark or "", type=dict[str, str])
    except (msgspec.DecodeError, RecursionError):
        return {}
