"""What is tried in IFS as a whole: token, projections, metadata, sets in use, companies, time. Nothing is written."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from console.checking.results import Refused, Said, failed, passed, warned
from shared.config.rules import Tables
from shared.config.settings import IfsSettings, StreamSettings
from shared.errors import Retryable
from shared.flows import SUPPLIERS
from shared.ifs import reading
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.metadata import Metadata
from shared.ifs.odata import Bare, both, equals, url
from shared.ifs.slicing import slices
from shared.ifs.sources import HEADER, NO_PROPERTY, Bound, BoundSet, key_text
from shared.rows import Row

LANE: Final = "live"
#: Absent, or not for this user.
ABSENT: Final = frozenset({403, 404})
_ACTIVATE: Final = (
    "grant it to the service user's permission set; activate it in API Explorer if it is an entity service"
)
#: A row changed so recently tells the tenant's clock.
_FRESH: Final = timedelta(minutes=15)
_SKEW: Final = timedelta(minutes=2)


class StreamInUse(msgspec.Struct, frozen=True, kw_only=True):
    """One enabled stream with the tenant's names.

    Attributes:
        companies: those we know.
        written: sets that are written to, as the settings ask.
    """

    flow: str
    settings: StreamSettings
    bound: Bound
    companies: tuple[str, ...] = ()
    written: tuple[BoundSet, ...] = ()

    @property
    def sets(self) -> tuple[BoundSet, ...]:
        children = (child for child in self.bound.children if child.name != self.bound.source.grouped)
        return (self.bound.header, *children, *self.written)

    @property
    def order(self) -> tuple[str, ...]:
        """What names one row of the header's set, in the order in which it is read."""
        rows = (child.key for child in self.bound.children if child.name == self.bound.source.grouped)
        return (*self.bound.header.order, *(name for key in rows for name in key))

    @property
    def conditions(self) -> list[str]:
        """The conditions of a full read: one of each company where every query is to name its own."""
        if not self.bound.source.grouped:
            return [self.settings.filter]
        of = slices(self.companies, self.bound.header.properties["company"])
        return [both(self.settings.filter, one.condition) for one in of]

    def condition(self, of: BoundSet) -> str:
        """Return the condition under which one set is tried."""
        if self.bound.source.grouped and self.companies:
            company = equals(of.properties["company"], self.companies[0])
            return both(self.settings.filter, company) if of.name == HEADER else company
        return self.settings.filter if of.name == HEADER else ""

    def section(self, of: BoundSet) -> str:
        """Return where the settings name this set."""
        return f"[ifs.streams.{self.flow}]" + ("" if of.name == HEADER else f" sets.{of.name}")


class Tenant(msgspec.Struct, frozen=True):
    """What the checks of IFS stand on."""

    client: IfsClient
    settings: IfsSettings
    streams: tuple[StreamInUse, ...]
    tables: Tables
    verdict_field: str = ""

    def rows(self, of: BoundSet, *, condition: str = "", order: str = "", top: int = 1) -> tuple[Row, ...]:
        """Return the first rows of a set."""
        address = url(self.client.root(of.service), of.entity_set, condition=condition, order=order, top=top)
        return self.client.page(address, what=of.title, lane=LANE).rows


def token(tenant: Tenant) -> Iterator[Said]:
    try:
        tenant.client.sign_in()
    except IfsDenied as error:
        detail, _, remedy = str(error).rpartition(": ")
        raise Refused(f"{detail}.", f"{remedy[:1].upper()}{remedy[1:]}") from error
    except Retryable as error:
        raise Refused(
            str(error), "Look at the network, and at base_url, realm and token_url in section [ifs]."
        ) from error
    yield passed(f"Realm {tenant.settings.realm} gives a token.")


def projections(tenant: Tenant) -> Iterator[Said]:
    """Try the list of all projections, which no stream needs."""
    client = tenant.client
    try:
        client.page(url(client.root("AllProjections"), "Projections", top=1), what="AllProjections", lane=LANE)
    except (IfsDenied, IfsRefused) as error:
        if error.status not in ABSENT:
            raise
        remedy = "Nothing needs it; grant AllProjections to the service user if you want to look up names there."
        yield warned(f"The list of projections cannot be read ({error.status}).", remedy)
    else:
        yield passed("The list of projections can be read.")


def metadata(tenant: Tenant) -> Iterator[Said]:
    """Compare what each service says it has with the names in use."""
    told: dict[str, Metadata | None] = {}
    for stream in tenant.streams:
        for of in stream.sets:
            if of.service not in told:
                told[of.service] = _metadata_of(tenant, of)
            known = told[of.service]
            if known is None:
                yield _untold(of)
            else:
                yield from _compared(stream, of, known)


def _metadata_of(tenant: Tenant, of: BoundSet) -> Metadata | None:
    try:
        return tenant.client.metadata(of.service, lane=LANE)
    except (IfsDenied, IfsRefused) as error:
        if error.status not in ABSENT:
            raise
        return None


def _untold(of: BoundSet) -> Said:
    detail = f"{of.service} does not show its metadata."
    if of.source.nested:
        return warned(detail, f"To read {of.name} for many suppliers per call, {_ACTIVATE}.")
    return failed(detail, f"To read {of.title}, {_ACTIVATE}; or name the tenant's own service in the settings.")


def _compared(stream: StreamInUse, of: BoundSet, known: Metadata) -> Iterator[Said]:
    section = stream.section(of)
    if of.entity_set not in known:
        yield failed(f"{of.service} has no set {of.entity_set}.", f"Name the tenant's own as entity_set in {section}.")
        return
    properties = known[of.entity_set]
    required = {field.name for field in msgspec.structs.fields(of.source.shape) if field.required}
    named = {name: prop for name, prop in of.properties.items() if not prop.startswith(NO_PROPERTY)}
    missing = {name: prop for name, prop in named.items() if prop not in properties}
    for name in [name for name in missing if name in required]:
        remedy = f'In {section} write fields = {{ {name} = "<the tenant\'s property>" }}.'
        yield failed(f"{of.title} has no property {missing[name]}, without which no record can be read.", remedy)
    if optional := [name for name in missing if name not in required]:
        names = ", ".join(missing[name] for name in optional)
        remedy = f"Where the tenant has another name for one, say so in {section} fields ({', '.join(optional)})."
        yield warned(f"{of.title} has no {names}: left empty.", remedy)
    stamp = _wanted_stamp(stream, of)
    if stamp and stamp not in properties:
        yield failed(f"{of.title} has no property {stamp}.", f"Correct modified_field in {section}.")
    if not missing:
        yield passed(f"{of.title} has all {len(of.properties)} properties.")


def _wanted_stamp(stream: StreamInUse, of: BoundSet) -> str:
    """Return the property that the settings themselves name as time of last change."""
    if of.name == HEADER:
        return of.modified_field
    named = stream.settings.sets.get(of.name)
    return of.modified_field if named and named.modified_field else ""


def companies(tenant: Tenant) -> Iterator[Said]:
    """Look for a row of each company: row security answers with an empty list, not with a refusal."""
    if not tenant.tables.companies:
        yield warned(
            "The table companies is empty: every record will be held.",
            "Write companies.csv and run `connector mappings import companies companies.csv`.",
        )
    for company in tenant.tables.companies:
        found = _set_with(tenant, company)
        if found is None:
            remedy = (
                "Grant the company to the service user in IFS (users per company, and sites); or it has no records yet."
            )
            yield warned(f"No row of company {company} can be seen.", remedy)
        else:
            yield passed(f"Rows of company {company} can be seen in {found.title}.")


def _set_with(tenant: Tenant, company: str) -> BoundSet | None:
    """Return a set in which a row of the company is seen."""
    for stream in tenant.streams:
        for of in stream.sets:
            prop = of.properties.get("company")
            if prop is None or tenant.client.memory.is_missing(of.title):
                continue
            try:
                if tenant.rows(of, condition=equals(prop, company)):
                    return of
            except (IfsDenied, IfsRefused) as error:
                if error.status not in {400, *ABSENT}:  # A tenant may lack the property; another set will tell.
                    raise
    return None


def sites(tenant: Tenant) -> Iterator[Said]:
    """Try what tells an order's company where the order itself does not."""
    if tenant.tables.sites:
        yield passed(f"The table sites names {len(tenant.tables.sites)}; IFS need not be asked.")
        return
    try:
        found = reading.sites(tenant.client, lane=LANE)
    except (IfsDenied, IfsRefused) as error:
        remedy = "Import the table sites, or grant CompanySiteHandling to the service user's permission set."
        yield failed(str(error).split(": ", maxsplit=1)[0] + ".", remedy)
        return
    if found:
        yield passed(f"IFS names the company of {len(found)} sites.")
    else:
        yield warned("IFS shows no site.", "Import the table sites, or grant sites to the service user.")


def etags(tenant: Tenant) -> Iterator[Said]:
    """Read one record by its key, and look for the ETag that a later change of it must carry."""
    for stream in tenant.streams:
        for of in stream.written if stream.bound.source.grouped else (stream.bound.header,):
            for row in tenant.rows(of, condition=stream.condition(of)):
                key = of.named([key_text(row.values.get(name)) for name in of.key])
                address = tenant.client.address(of.service, of.entity_set, key)
                answer = tenant.client.get(address, what=f"one row of {of.title}", lane=LANE)
                if answer.headers.get("etag") or _etag_of(answer.body):
                    yield passed(f"A row of {of.title} is read by its key, with an ETag.")
                elif of in stream.written or stream.flow == SUPPLIERS.name:
                    remedy = "It cannot be changed safely without one: ask who runs IFS."
                    yield failed(f"A row of {of.title} comes without an ETag.", remedy)
                else:
                    yield warned(f"A row of {of.title} comes without an ETag.", "Nothing sent to Cin7 needs one.")


def _etag_of(body: bytes) -> object:
    document = msgspec.json.decode(body)
    return document.get("@odata.etag") if isinstance(document, Mapping) else None


def time_zone(tenant: Tenant) -> Iterator[Said]:
    """Compare the freshest stamp with the time: a stamp says Z and means the tenant's wall clock."""
    # A day tells no hour.
    stamp = max((stamp for stamp in _stamps(tenant) if "T" in stamp), default="")
    zone = UTC if tenant.settings.time_zone_aware or tenant.settings.time_zone == "UTC" else None
    name = "UTC" if zone else tenant.settings.time_zone
    now = datetime.now(zone or ZoneInfo(tenant.settings.time_zone)).replace(tzinfo=None)
    try:
        behind = now - datetime.fromisoformat(stamp).replace(tzinfo=None)
    except ValueError:
        behind = None
    if behind is not None and behind < -_SKEW:
        detail = f"A row is stamped {stamp}, {_hours(-behind)} ahead of {name}."
        yield failed(detail, "Correct time_zone in section [ifs] to the zone of the tenant's wall clock.")
    elif behind is not None and behind < _FRESH:
        yield passed(f"A row stamped {stamp} fits the wall clock of {name}.")
    else:
        seen = f"the freshest row is stamped {stamp}" if stamp else "no row with a time of change was found"
        remedy = "Change any purchase order line in IFS and repeat this within 15 minutes."
        yield warned(f"The wall clock of {name} could not be compared: {seen}.", remedy)


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f} h"


def _stamps(tenant: Tenant) -> Iterator[str]:
    for stream in tenant.streams:
        for of in stream.sets:
            if of.modified_field and not tenant.client.memory.is_missing(of.title):
                yield latest_stamp(tenant, of, stream.condition(of))


def latest_stamp(tenant: Tenant, of: BoundSet, condition: str = "") -> str:
    """Return the latest time of change that a set shows; empty where it shows none."""
    field = of.modified_field
    try:
        # The bound leaves out rows without a stamp, which would come first.
        bounded = both(condition, f"{field} ge {_dawn(tenant, of)}")
        found = tenant.rows(of, condition=bounded, order=f"{field} desc")
    except (IfsDenied, IfsRefused) as error:
        if error.status not in {400, *ABSENT}:
            raise
        return ""
    return str(found[0].values.get(field) or "") if found else ""


def _dawn(tenant: Tenant, of: BoundSet) -> Bare:
    kinds = (tenant.client.memory.metadata.get(of.service) or {}).get(of.entity_set, {})
    return Bare("1900-01-01" if kinds.get(of.modified_field) == "Edm.Date" else "1900-01-01T00:00:00Z")
