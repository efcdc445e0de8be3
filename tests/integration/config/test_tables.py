"""Mapping tables in PostgreSQL: imports, edits on record, and what mappings get."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.config.tables import TABLES, ImportResult, TableFault, counts, export_csv, import_csv, load_tables
from shared.ledger.connection import Conn, connect

HEAD = "company,ifs_account,cin7_code\n"


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    with connect(database_url) as conn:
        yield conn


def revision(conn: Conn) -> int:
    row = conn.execute("select revision from rules_revision").fetchone()
    assert row is not None
    return int(row[0])


def edits(conn: Conn) -> list[tuple[object, ...]]:
    return conn.execute("select key, before, after, who from mapping_edit order by id").fetchall()


def test_an_import_adds_to_what_is_there(conn: Conn) -> None:
    assert import_csv(conn, "accounts", HEAD + "10,1,100\n10,2,200\n", "ann") == ImportResult(
        added=2, changed=0, removed=0, unchanged=0
    )
    assert import_csv(conn, "accounts", HEAD + "10,2,201\n10,3,300\n10,1,100\n", "ben") == ImportResult(
        added=1, changed=1, removed=0, unchanged=1
    )
    assert load_tables(conn).accounts == {("10", "1"): "100", ("10", "2"): "201", ("10", "3"): "300"}
    assert counts(conn) == dict.fromkeys(TABLES, 0) | {"accounts": 3}


def test_an_import_that_replaces_removes_the_rest(conn: Conn) -> None:
    import_csv(conn, "accounts", HEAD + "10,1,100\n10,2,200\n", "ann")
    assert import_csv(conn, "accounts", HEAD + "10,2,200\n", "ann", replace=True) == ImportResult(
        added=0, changed=0, removed=1, unchanged=1
    )
    assert load_tables(conn).accounts == {("10", "2"): "200"}


def test_every_edit_is_on_record_and_stays_there(conn: Conn) -> None:
    import_csv(conn, "accounts", HEAD + "10,1,100\n", "ann")
    import_csv(conn, "accounts", HEAD + "10,1,101\n", "ben")
    import_csv(conn, "accounts", HEAD + "10,1,101\n", "nobody")
    import_csv(conn, "accounts", HEAD, "eve", replace=True)
    assert edits(conn) == [
        (["10", "1"], None, ["10", "1", "100"], "ann"),
        (["10", "1"], ["10", "1", "100"], ["10", "1", "101"], "ben"),
        (["10", "1"], ["10", "1", "101"], None, "eve"),
    ]
    for statement in ("update mapping_edit set who = 'x'", "delete from mapping_edit", "truncate mapping_edit"):
        with pytest.raises(psycopg.Error, match="append-only"):
            conn.execute(statement.encode())


def test_running_processes_can_tell_that_the_tables_changed(conn: Conn) -> None:
    before = revision(conn)
    import_csv(conn, "accounts", HEAD + "10,1,100\n", "ann")
    assert revision(conn) > before
    before = revision(conn)
    import_csv(conn, "accounts", HEAD + "10,1,100\n", "ann")
    assert revision(conn) == before


def test_a_bad_file_changes_nothing(conn: Conn) -> None:
    import_csv(conn, "accounts", HEAD + "10,1,100\n", "ann")
    before = revision(conn)
    with pytest.raises(TableFault, match="line 3, column cin7_code"):
        import_csv(conn, "accounts", HEAD + "10,1,999\n10,2,\n", "ann", replace=True)
    assert load_tables(conn).accounts == {("10", "1"): "100"}
    assert (revision(conn), len(edits(conn))) == (before, 1)


def test_a_column_that_the_file_lacks_keeps_what_it_had(conn: Conn) -> None:
    import_csv(conn, "companies", "company,cin7_account,location,lead\n10,main,Leeds,yes\n", "ann")
    import_csv(conn, "companies", "company,cin7_account,tax_rule\n10,main,GST\n20,main,GST\n", "ann")
    companies = load_tables(conn).companies
    assert (companies["10"].location, companies["10"].lead, companies["10"].tax_rule) == ("Leeds", True, "GST")
    assert (companies["20"].location, companies["20"].lead) == ("", False)


def test_two_leads_of_one_account_are_refused_across_imports(conn: Conn) -> None:
    head = "company,cin7_account,lead\n"
    import_csv(conn, "companies", head + "10,main,yes\n20,other,yes\n", "ann")
    with pytest.raises(TableFault, match="companies 10 and 30 both lead in main"):
        import_csv(conn, "companies", head + "30,main,yes\n", "ann")
    import_csv(conn, "companies", head + "10,main,no\n30,main,yes\n", "ann")
    assert load_tables(conn).companies["30"].lead


def test_an_account_that_the_settings_do_not_name_is_refused(conn: Conn) -> None:
    text = "company,cin7_account\n10,main\n20,mian\n"
    with pytest.raises(TableFault, match="line 3, column cin7_account: 'mian'"):
        import_csv(conn, "companies", text, "ann", accounts={"main", "second"})
    assert counts(conn)["companies"] == 0


def test_what_is_exported_imports_as_unchanged(conn: Conn) -> None:
    rows = '=A1,-5,"a ""quoted"", name"\n10,É,日本\n'
    import_csv(conn, "accounts", HEAD + rows, "ann")
    text = export_csv(conn, "accounts")
    assert "'=A1,'-5," in text
    result = import_csv(conn, "accounts", text, "ann", replace=True)
    assert result == ImportResult(added=0, changed=0, removed=0, unchanged=2)


def test_imports_at_the_same_time_lose_no_row(database_url: str) -> None:
    def one(number: int) -> int:
        with connect(database_url) as conn:
            return import_csv(conn, "accounts", f"{HEAD}10,{number},x\n10,shared,{number}\n", "ann").added

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, range(12))) == 13
    with connect(database_url) as conn:
        assert counts(conn)["accounts"] == 13
        assert len(edits(conn)) == 24


def test_ten_thousand_rows_import_in_seconds(conn: Conn) -> None:
    text = "ifs_part,sku\n" + "".join(f"P{number},S{number}\n" for number in range(10_000))
    assert import_csv(conn, "products", text, "ann").added == 10_000
    assert load_tables(conn).products["P9999"] == "S9999"
