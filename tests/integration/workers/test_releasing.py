"""Whether a cause is gone is seen by mapping one of its entries with the rules of the moment."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from shared.assembly import Assembly
from shared.config.environment import Environment
from shared.config.settings import Cin7Settings, IfsSettings, Settings
from shared.config.tables import import_csv
from shared.current_rules import IFS, SITES
from shared.ledger import causes, references
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import finding, state
from tests.integration.workers.stages import Stage, order
from tests.unit.mapping.samples import REFERENCE
from workers.composition import releaser_of
from workers.replaying import Releaser

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
TABLES = {
    "companies": "company,cin7_account,location,payable_account,tax_rule,lead\n"
    "10,main,Main Warehouse,800,Tax on Purchases,\n",
    "sites": "site,company,location\nS10,10,North\n",
    "payment_terms": "company,ifs_term,cin7_term\n10,30,30 days\n",
    "tax_codes": "company,ifs_code,cin7_tax_rule,percent\n10,V20,Tax on Purchases,\n",
}


def keep_chart(ledger: Ledger, *without: str) -> None:
    """Keep Cin7's reference data as a refresh would have read it."""
    parts = {
        "accounts": {code: row for code, row in REFERENCE.accounts.items() if code not in without},
        "terms": REFERENCE.terms,
        "tax_rules": REFERENCE.tax_rules,
        "locations": sorted(REFERENCE.locations),
        "products": REFERENCE.products,
        "company": ("EUR", ""),
    }
    with ledger.transaction() as cur:
        for kind, found in parts.items():
            references.keep(cur, "main", kind, msgspec.json.encode(found, order="deterministic"))
        references.keep(cur, IFS, SITES, b"{}")


@pytest.fixture
def parts(ledger: Ledger, database_url: str, redis_url: str) -> Iterator[Assembly]:
    for table, text in TABLES.items():
        import_csv(ledger.connection(), table, text, "ann")
    keep_chart(ledger, "4010")
    made = Assembly(
        Environment(master_key=KEY), database_url=database_url, redis_url=redis_url, role="replayer", root=Path()
    )
    made.settings = Settings(ifs=IfsSettings(base_url="http://127.0.0.1:1", realm="r"), cin7={"main": Cin7Settings()})
    yield made
    made.ledger.close()
    made.redis.close()


@pytest.fixture
def releaser(parts: Assembly) -> Releaser:
    return releaser_of(parts)


def hold_for_real(ledger: Ledger, client: redis.Redis, parts: Assembly, *keys: str) -> list[int]:
    """Map orders with the rules of the moment, which hold them."""
    stage = Stage(ledger, client)
    stage.rules.now = parts.rules.get()
    ids = [stage.detect(key, order(key)) for key in keys]
    stage.run(*ids)
    assert {state(ledger, entry) for entry in ids} == {"held"}
    return ids


def test_an_account_that_was_added_releases_the_orders_that_lacked_it(
    ledger: Ledger, client: redis.Redis, parts: Assembly, releaser: Releaser
) -> None:
    ids = hold_for_real(ledger, client, parts, "1", "2", "3")
    with ledger.transaction() as cur:
        assert [(cause.code, cause.value) for cause in causes.open_causes(cur)] == [("account.missing", "4010")]
    assert releaser.release() == []
    keep_chart(ledger)
    assert releaser.release() == ids
    assert releaser.send_ready() == ids


def test_a_mapping_row_does_as_well_as_an_account(
    ledger: Ledger, client: redis.Redis, parts: Assembly, releaser: Releaser
) -> None:
    ids = hold_for_real(ledger, client, parts, "1")
    import_csv(ledger.connection(), "accounts", "company,ifs_account,cin7_code\n10,4010,6100\n", "ann")
    assert releaser.release() == ids


def test_a_change_of_something_else_releases_nothing(
    ledger: Ledger, client: redis.Redis, parts: Assembly, releaser: Releaser
) -> None:
    hold_for_real(ledger, client, parts, "1")
    import_csv(ledger.connection(), "accounts", "company,ifs_account,cin7_code\n10,7777,6100\n", "ann")
    assert releaser.release() == []


def test_what_only_the_writer_runs_into_is_not_sent_round_and_round(
    ledger: Ledger, client: redis.Redis, parts: Assembly, releaser: Releaser
) -> None:
    keep_chart(ledger)
    stage = Stage(ledger, client)
    stage.rules.now = parts.rules.get()
    entry = stage.detect("1", order("1"))
    stage.run(entry)
    samples.hold(ledger, entry, finding("company.unmapped", "main", "", field="cin7_account"), stage="write")
    assert releaser.release() == [], "mapping it again shows nothing of what the writer lacks"


def test_an_entry_that_cannot_be_mapped_any_more_keeps_no_other_cause(
    ledger: Ledger, client: redis.Redis, parts: Assembly, releaser: Releaser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fine,) = hold_for_real(ledger, client, parts, "1")
    broken = samples.held(ledger, "2", finding("term.unmapped", "60"))
    keep_chart(ledger)
    with ledger.transaction() as cur:
        cur.execute("update body set raw = 'no JSON' where entry_id = %s", (broken,))
    assert releaser.release() == [fine]
    assert state(ledger, broken) == "held"
