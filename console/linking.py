"""Links that a person makes, and decisions to create: checked, recorded with the name, then the held entries go on."""

from collections.abc import Sequence

from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.flows import CIN7_SUPPLIERS, SUPPLIERS
from shared.ledger import decisions, effects, events, links, rejections
from shared.ledger.connection import Cur
from shared.ledger.links import Link, Stored
from shared.ledger.rejections import CIN7, IFS, Pair
from workers.replaying import replay

FLOW = SUPPLIERS.name


def link(parts: Assembly, key: str, account: str, cin7_id: str, name: str, *, origin: str, why: str) -> bool:
    """Link an IFS supplier to one of Cin7; False where it is already.

    Args:
        parts: of this process.
        key: of the IFS supplier.
        account: the Cin7 account.
        cin7_id: of the vendor, which Cin7 showed a moment ago.
        name: of the vendor.
        origin: `accepted` or `person`.
        why: completes the event, with the person's name.

    Raises:
        ConnectorError: the ledger does not know the supplier, it is being written, or either side is linked otherwise.
    """
    replaced = _replaceable(parts, key, account, cin7_id)
    with parts.ledger.transaction() as cur:
        version, entry_id = _locked(cur, key, account)
        owner = links.owner(cur, FLOW, account, cin7_id)
        if owner == key:
            return False
        if owner is not None:
            raise ConnectorError(f"{name} ({cin7_id}) of {account} is linked to supplier {owner} already.")
        if replaced is not None:
            links.remove(cur, replaced)
        made = Link(
            flow=FLOW,
            ifs_key=key,
            cin7_account=account,
            cin7_id=cin7_id,
            cin7_number=name,
            written=b"",
            version=version,
            verified=False,
        )
        links.store(cur, [Stored(made, origin)])
        if cin7_id in rejections.rejected_for(cur, key, account):
            rejections.decide(cur, _pair(account, key, cin7_id), rejected=False, who=parts.actor, why=why)
        instead = f" instead of {replaced.cin7_id}, which is gone" if replaced else ""
        events.note(
            cur,
            entry_id,
            actor=parts.actor,
            why=f"linked to {name} ({cin7_id}) of {account}{instead}: {why}",
        )
        _owners_changed(cur, account)
    return True


def _owners_changed(cur: Cur, account: str) -> None:
    """Let every writer's index be built again: it knows who owns what."""
    cur.execute("update cin7_supplier_read set revision = revision + 1 where account = %s", (account,))


def _pair(account: str, key: str, cin7_id: str) -> Pair:
    return rejections.pair(account, rejections.named(IFS, key), rejections.named(CIN7, cin7_id))


def unlink(parts: Assembly, key: str, account: str, *, why: str) -> Link:
    """Take the link of an IFS supplier away, and see to it that nothing makes the same one again by itself.

    Neither system is changed. Both go on as if they had never met, except that the pair counts as rejected.

    Raises:
        ConnectorError: there is no such link, or the supplier is being written.
    """
    with parts.ledger.transaction() as cur:
        _, entry_id = _locked(cur, key, account)
        known = links.find(cur, FLOW, key, account)
        if known is None:
            raise ConnectorError(f"Supplier {key} is not linked in {account}: see `connector links {key}`.")
        links.remove(cur, known)
        rejections.decide(cur, _pair(account, key, known.cin7_id), rejected=True, who=parts.actor, why=why)
        what = f"link to {known.cin7_number} ({known.cin7_id}) of {account} taken away"
        events.note(cur, entry_id, actor=parts.actor, why=f"{what}: {why}")
        _owners_changed(cur, account)
    return known


def reject(parts: Assembly, of: Pair, *, rejected: bool, why: str) -> None:
    """Record that two suppliers are not one, or take that back.

    Raises:
        ConnectorError: they are linked, or what is to be taken back was never said.
    """
    keys = [name.removeprefix(f"{IFS}/") for name in (of.one, of.other) if name.startswith(f"{IFS}/")]
    ids = [name.removeprefix(f"{CIN7}/") for name in (of.one, of.other) if name.startswith(f"{CIN7}/")]
    with parts.ledger.transaction() as cur:
        if keys and ids and rejected and links.owner(cur, FLOW, of.account, ids[0]) == keys[0]:
            raise ConnectorError(
                f"Supplier {keys[0]} is linked to {ids[0]} of {of.account}: use `connector suppliers unlink {keys[0]}`."
            )
        if not rejected and of not in rejections.current(cur, [of.account]):
            raise ConnectorError("These two are not ignored: see `ignored` in `connector suppliers match --json`.")
        rejections.decide(cur, of, rejected=rejected, who=parts.actor, why=why)
        said = "not the same supplier" if rejected else "proposed again as perhaps the same supplier"
        for key in keys:
            other = next(name for name in (of.one, of.other) if name != rejections.named(IFS, key))
            if entry_id := _newest_entry(cur, key):
                where = f" of {of.account}" if of.account else ""
                events.note(cur, entry_id, actor=parts.actor, why=f"{other}{where}: {said}: {why}")


def _newest_entry(cur: Cur, key: str) -> int | None:
    row = cur.execute(
        "select id from entry where flow = %s and key = %s order by version desc limit 1", (FLOW, key)
    ).fetchone()
    return int(row[0]) if row else None


def _replaceable(parts: Assembly, key: str, account: str, cin7_id: str) -> Link | None:
    """Return an earlier link whose supplier is gone from Cin7, if there is one.

    Raises:
        ConnectorError: the supplier is linked to another one that is there.
    """
    with parts.ledger.transaction() as cur:
        known = links.find(cur, FLOW, key, account)
    if known is None or known.cin7_id == cin7_id:
        return None
    if parts.cin7(account).supplier(known.cin7_id) is not None:
        raise ConnectorError(
            f"Supplier {key} is linked to {known.cin7_number} ({known.cin7_id}) of {account} already, which is there."
        )
    return known


def _locked(cur: Cur, key: str, account: str) -> tuple[int, int]:
    """Lock a supplier against writers; return its version and newest entry.

    Raises:
        ConnectorError: it is not known, or a writer is at it.
    """
    row = cur.execute(
        """
        select r.version, coalesce(r.lease_until > now(), false),
               (select id from entry e where e.flow = r.flow and e.key = r.key order by e.version desc limit 1)
        from record r where r.flow = %s and r.key = %s for update
        """,
        (FLOW, key),
    ).fetchone()
    if row is None or row[2] is None:
        raise ConnectorError(f"The ledger has never seen supplier {key}: run `connector poll suppliers` first.")
    unsettled = any(
        effect.step == "create" and effect.target == f"cin7/{account}"
        for effect in effects.unresolved(cur, FLOW, [key]).get(key, ())
    )
    if row[1] or unsettled:
        raise ConnectorError(f"Supplier {key} is being written to Cin7 right now: look again in a minute.")
    return int(row[0]), int(row[2])


def decide_creation(parts: Assembly, key: str, accounts: Sequence[str], *, why: str) -> None:
    """Record that a supplier is to be created although others resemble it.

    Raises:
        ConnectorError: it is not held as a possible duplicate.
    """
    with parts.ledger.transaction() as cur:
        row = cur.execute(
            """
            select e.id from entry e join finding f on f.entry_id = e.id and f.round = e.round
            where e.flow = %s and e.key = %s and e.state = 'held' and f.code = 'supplier.possible-duplicate' limit 1
            """,
            (FLOW, key),
        ).fetchone()
        if row is None:
            raise ConnectorError(f"Supplier {key} is not held as a possible duplicate: see `connector holds`.")
        for account in accounts:
            decisions.create_anyway(cur, int(row[0]), account, actor=parts.actor, why=why)


def replay_held(
    parts: Assembly, keys: Sequence[str], *, why: str, vendors: Sequence[tuple[str, str]] = ()
) -> list[int]:
    """Send on the held entries of suppliers whose link is settled now.

    Args:
        keys: of IFS suppliers.
        why: completes the events.
        vendors: the other side of each, as Cin7 account and id: what is held of them goes on, too.
    """
    back = [f"{account}/{cin7_id.lower()}" for account, cin7_id in vendors]
    with parts.ledger.transaction() as cur:
        rows = cur.execute(
            """
            select id from entry where state = 'held'
            and ((flow = %s and key = any(%s)) or (flow = %s and key = any(%s))) order by id
            """,
            (FLOW, list(keys), CIN7_SUPPLIERS.name, back),
        ).fetchall()
    return replay(parts.ledger, parts.redis, [int(row[0]) for row in rows], actor=parts.actor, why=why)
