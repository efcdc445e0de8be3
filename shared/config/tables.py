"""Mapping tables in PostgreSQL: imports that change all or nothing, every edit on record."""

from collections.abc import Collection, Mapping

import msgspec

from shared.config.rules import Tables
from shared.config.table_columns import TABLES, Cells, Table, tables_of
from shared.config.table_files import Row, TableFault, read_table, write_table
from shared.ledger.connection import Conn

__all__ = [
    "TABLES",
    "ImportResult",
    "TableFault",
    "companies",
    "counts",
    "export_csv",
    "export_rows",
    "import_csv",
    "load_tables",
]


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows an import touched."""

    added: int
    changed: int
    removed: int
    unchanged: int


def import_csv(
    conn: Conn, name: str, text: str, who: str, *, replace: bool = False, accounts: Collection[str] | None = None
) -> ImportResult:
    """Merge a CSV file into a table by its key; a column that the file lacks keeps what it had.

    Args:
        conn: a connection to the ledger's database.
        name: of the table.
        text: of the file.
        who: the person on record.
        replace: rows that the file does not hold are removed.
        accounts: names of the Cin7 accounts in the settings; None leaves them unchecked.

    Raises:
        TableFault: the file has a fault; nothing was changed.
    """
    table = TABLES[name]
    rows = read_table(table, text)
    _check_accounts(table, rows, accounts)
    with conn.transaction():
        # One import at a time: what it compares with must still be there when it writes.
        conn.execute("select pg_advisory_xact_lock(hashtextextended('mapping tables', 0))")
        before = _rows(conn, table)
        after = {} if replace else dict(before)
        for row in rows:
            old = before.get(row.key) or ("",) * len(table.columns)
            after[row.key] = tuple(was if cell is None else cell for was, cell in zip(old, row.cells, strict=True))
        if fault := table.check(after.values()):
            raise TableFault(f"{fault}.")
        result = _apply(conn, table, before, after, who)
    return msgspec.structs.replace(result, unchanged=sum(before.get(row.key) == after[row.key] for row in rows))


def export_csv(conn: Conn, name: str) -> str:
    """Return a table as CSV, sorted by its key."""
    return write_table(TABLES[name], _rows(conn, TABLES[name]).values())


def export_rows(conn: Conn, name: str) -> list[dict[str, str]]:
    """Return a table's rows by heading, sorted by its key."""
    headings = TABLES[name].headings
    return [dict(zip(headings, cells, strict=True)) for cells in _rows(conn, TABLES[name]).values()]


def counts(conn: Conn) -> dict[str, int]:
    """Return the number of rows of every table."""
    rows = conn.execute("select table_name, count(*) from mapping_row group by table_name").fetchall()
    found: dict[str, int] = dict(rows)
    return {name: found.get(name, 0) for name in TABLES}


def load_tables(conn: Conn) -> Tables:
    """Return all tables as mappings ask for them."""
    return tables_of({name: list(_rows(conn, table).values()) for name, table in TABLES.items()})


def companies(conn: Conn) -> list[str]:
    """Return the companies that are known."""
    return [cells[0] for cells in _rows(conn, TABLES["companies"])]


def _rows(conn: Conn, table: Table) -> dict[Cells, Cells]:
    found = conn.execute(
        'select cells from mapping_row where table_name = %s order by key collate "C"', (table.name,)
    ).fetchall()
    width = len(table.columns)
    # Rows kept before a column was added are shorter.
    padded = [(*cells, *[""] * (width - len(cells))) for (cells,) in found]
    return {table.key(cells): cells for cells in padded}


def _apply(
    conn: Conn, table: Table, before: Mapping[Cells, Cells], after: Mapping[Cells, Cells], who: str
) -> ImportResult:
    edits = [
        (key, before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    ]
    added = [(key, new) for key, old, new in edits if old is None and new is not None]
    changed = [(key, new) for key, old, new in edits if old is not None and new is not None]
    removed = [key for key, _old, new in edits if new is None]
    with conn.cursor() as cur:
        cur.executemany(
            "insert into mapping_edit (table_name, key, before, after, who) values (%s, %s, %s, %s, %s)",
            [
                (table.name, list(key), None if old is None else list(old), None if new is None else list(new), who)
                for key, old, new in sorted(edits, key=lambda edit: edit[0])
            ],
        )
        cur.executemany(
            "insert into mapping_row (table_name, key, cells) values (%s, %s, %s) "
            "on conflict (table_name, key) do update set cells = excluded.cells",
            [(table.name, list(key), list(cells)) for key, cells in (*added, *changed)],
        )
        cur.executemany(
            "delete from mapping_row where table_name = %s and key = %s",
            [(table.name, list(key)) for key in removed],
        )
        if edits:
            # Running processes compare this number before they trust the tables they hold.
            cur.execute("update rules_revision set revision = revision + 1")
    return ImportResult(added=len(added), changed=len(changed), removed=len(removed), unchanged=0)


def _check_accounts(table: Table, rows: list[Row], accounts: Collection[str] | None) -> None:
    if accounts is None or "cin7_account" not in table.headings:
        return
    place = table.headings.index("cin7_account")
    for row in rows:
        if row.cells[place] not in accounts:
            raise TableFault(
                f"line {row.line}, column cin7_account: {row.cells[place]!r} is none of the settings' Cin7 accounts "
                f"({', '.join(sorted(accounts))})."
            )
