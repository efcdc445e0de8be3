"""Does in IFS what was planned, row by row: intent first, exact ETag, and never over anybody's change unseen."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from shared.errors import Retryable
from shared.ifs.errors import IfsExists
from shared.ifs.etags import changed_this_second
from shared.ifs.mutating import Change as Wanted
from shared.ifs.mutating import Decision, Row, Unchanged, different, is_same, mutate
from shared.ifs.pages import Stored
from shared.ifs.parts import Cell, Parts
from shared.ledger.links import Link
from workers.writing.desk import Tenant
from workers.writing.session import Session
from workers.writing.supplier_parts import Change, Insert, Part, Step

#: The step that makes a whole record: one per record and target, ever.
CREATE: Final = "create"
#: Seconds until an ETag tells whether its row was changed again, and looks at a row that is changed all the time.
SECOND_S: Final = 1.5
LOOKS_MAX: Final = 5


class Overtaken(Exception):
    """IFS holds something else than what was decided upon: read it again and decide again."""


class Hands:
    """Does the steps of one supplier.

    Args:
        key: of the supplier, for reasons.
        more: what else a new row is given, by set, in the tenant's own words.
    """

    def __init__(
        self,
        session: Session,
        ifs: Tenant,
        parts: Parts,
        key: str,
        more: Mapping[str, Mapping[str, Cell]],
        *,
        wrote: Callable[[], None],
        rest: Callable[[float], None],
    ) -> None:
        self.session = session
        self.ifs = ifs
        self.parts = parts
        self.key = key
        self.more = more
        self.wrote = wrote
        self.rest = rest

    async def do(self, step: Step) -> None:
        """Do one step; nothing where IFS is as wanted already.

        Raises:
            Overtaken: IFS has changed since it was planned.
            Held: others keep changing the row.
            Retryable: the outcome is unknown, or the row is changed in every second.
        """
        if isinstance(step, Change):
            await self._change(step)
        else:
            await self.make(step)

    async def _change(self, step: Change) -> None:
        part = step.part
        before = self.parts.properties(part.set, dict(step.before))
        after = self.parts.properties(part.set, dict(step.after))
        await mutate(
            Row(part.name, self.key, self.session.claim.company),
            read=partial(self._settled, part),
            decide=partial(_decided, before, after),
            write=partial(self._write, part),
        )

    async def read(self, part: Part) -> Stored | None:
        """Return a row as it is now."""
        return await self.session.read(self.ifs, lambda slot: self.parts.read(part.set, dict(part.key), slot))

    async def _settled(self, part: Part) -> Stored | None:
        """Return a row with an ETag that tells: one that was changed this very second is looked at again a bit later.

        Raises:
            Retryable: it is changed in every second.
        """
        for _ in range(LOOKS_MAX):
            current = await self.read(part)
            if current is None or not changed_this_second(current.etag, current.date):
                return current
            self.rest(SECOND_S)
        raise Retryable(f"{part.name} of supplier {self.key} is changed in IFS every second")

    async def _write(self, part: Part, current: Stored, values: Mapping[str, object]) -> Stored | None:
        title = self.parts.bound.set_named(part.set).title
        stored = await self.session.write(
            self.ifs,
            step=f"change {part.name}",
            request=f"PATCH {title}",
            body=values,
            call=lambda slot: self.parts.patch(part.set, dict(part.key), values, etag=current.etag, slot=slot),
            marker=self.key,
        )
        self.wrote()
        return stored

    async def make(
        self, step: Insert, *, name: str = "", marker: str = "", applied: Callable[[Stored | None], Link] | None = None
    ) -> Stored | None:
        """Make a row; one that is there with the same key is looked at, and changed where it is otherwise.

        Raises:
            IfsExists: a whole record is to be created, and there is one of that number: it is somebody else's.
        """
        part, values = step.part, dict(step.values)
        title = self.parts.bound.set_named(part.set).title
        try:
            stored = await self.session.write(
                self.ifs,
                step=name or f"make {part.name}",
                request=f"POST {title}",
                body=values,
                call=lambda slot: self.parts.make(part.set, values, self.more.get(part.set, {}), slot),
                applied=applied,
                marker=marker or self.key,
            )
        except IfsExists:
            current = None if name == CREATE else await self.read(part)
            if current is None:
                raise
            await self._change_what_is_there(step, current)
            return current
        self.wrote()
        return stored

    async def _change_what_is_there(self, step: Insert, current: Stored) -> None:
        """Bring a row that somebody made meanwhile, or IFS by itself, to what is wanted."""
        wanted = {field: value for field, value in step.values if field not in dict(step.part.key)}
        held = self.parts.fields(step.part.set, current)
        before = tuple((field, _cell(held.get(field))) for field in wanted)
        if different(self.parts.properties(step.part.set, wanted), current.values):
            await self._change(Change(step.part, before, tuple(wanted.items())))


def _decided(before: Mapping[str, Cell], after: Mapping[str, Cell], current: Stored | None) -> Decision:
    """Say what is left to write of one row, as long as nobody changed it since it was decided upon.

    Raises:
        Overtaken: somebody did.
    """
    if current is None:
        raise Overtaken
    left = different(after, current.values)
    if any(not is_same(before[name], current.values.get(name)) for name in left):
        raise Overtaken
    return Wanted(left) if left else Unchanged()


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | bool) else None
