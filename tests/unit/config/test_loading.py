"""`connector.toml`: what is taken, and the sentence for each thing that is wrong."""

from pathlib import Path

import pytest

from shared.config.loading import load_settings
from shared.errors import Misconfigured

GOOD = """
[ifs]
base_url = "https://acme.ifs.cloud"
realm = "acme1"
{ifs}

[ifs.streams.purchase_orders]
{orders}

[cin7.main]
{main}

[policy]
{policy}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "connector.toml"


def written(file: Path, **parts: str) -> Path:
    places = dict.fromkeys(("ifs", "orders", "main", "policy"), "") | parts
    file.write_text(GOOD.format(**places), "utf-8")
    return file


def fault(file: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_settings(file)
    message = str(caught.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def test_what_is_not_written_has_its_default(file: Path) -> None:
    settings = load_settings(written(file))
    assert settings.ifs.page_size == 500
    assert settings.ifs.stream("suppliers").every_s == 60
    assert settings.cin7["main"].calls_per_minute == 60
    assert settings.policy.total_tolerance == "0.01"


def test_every_section_is_read(file: Path) -> None:
    settings = load_settings(
        written(
            file,
            ifs='time_zone = "Europe/Stockholm"',
            orders='every_s = 5\nfields = { state = "Objstate" }\n'
            '[ifs.streams.purchase_orders.sets]\nlines = { modified_field = "LastActivityDate" }',
            main='order_status = "DRAFT"\n[cin7.second-2]\ncalls_per_minute = 10',
            policy='supplier_conflict = { name = "ifs" }',
        )
    )
    stream = settings.ifs.stream("purchase_orders")
    assert settings.ifs.time_zone == "Europe/Stockholm"
    assert (stream.every_s, stream.fields) == (5, {"state": "Objstate"})
    assert stream.sets["lines"].modified_field == "LastActivityDate"
    assert settings.cin7["main"].order_status == "DRAFT"
    assert settings.cin7["second-2"].calls_per_minute == 10
    assert settings.policy.supplier_conflict == {"name": "ifs"}


@pytest.mark.parametrize("text", ['"2026-01-31"', "2026-01-31"])
def test_a_start_date_may_stand_with_or_without_quotes(file: Path, text: str) -> None:
    settings = load_settings(written(file, orders=f"start_from = {text}"))
    assert settings.ifs.stream("purchase_orders").start_from == "2026-01-31"


def test_a_file_that_begins_with_a_byte_order_mark_is_read(file: Path) -> None:
    written(file)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_settings(file).ifs.realm == "acme1"


@pytest.mark.parametrize(
    ("place", "line", "sentence"),
    [
        ("ifs", "page_sise = 5", "[ifs] has an unknown key 'page_sise': did you mean 'page_size'?"),
        ("ifs", "page_size = 0", "[ifs] page_size is 0: write a whole number of at least 1."),
        ("ifs", "page_size = 5000", "[ifs] page_size is 5000: write a whole number of at most 4999."),
        ("ifs", 'page_size = "5"', "[ifs] page_size is '5': write a whole number."),
        ("ifs", "page_size = true", "[ifs] page_size: write a whole number."),
        ("ifs", 'token_url = "http://a.example/"', "write https, since plain http is for this machine only."),
        ("ifs", 'time_zone = "Europe/Stokholm"', "did you mean 'Europe/Stockholm'?"),
        ("ifs", 'time_zone = "../../etc/passwd"', "is not known on this machine"),
        ("ifs", 'sweep_at = "25:00"', "[ifs] sweep_at is '25:00'"),
        ("ifs", 'projection_prefix = "main"', "write a path that begins with /."),
        ("ifs", "[ifs.streams.supliers]", "[ifs.streams] has an unknown stream 'supliers': did you mean 'suppliers'?"),
        ("ifs", "[ifs.streams.sites]\nsets = 1", "ifs.streams.sites.sets is not a table"),
        ("orders", 'start_from = "2026-02-31"', "start_from is '2026-02-31': write a date"),
        ("orders", 'start_from = "2026-W05-1"', "start_from is '2026-W05-1': write a date"),
        ("orders", 'strategy = "poll"', "strategy is 'poll': write one of auto, modified, history, sweep."),
        ("orders", "every_s = inf", "every_s is inf: write a finite number."),
        ("orders", "every_s = 0", "every_s is 0: write a number above 0."),
        ("orders", 'fields = { a = "b c" }', "fields.a is 'b c': write the name of a property"),
        ("orders", 'entity_set = "A/B"', "entity_set is 'A/B': write a plain name"),
        ("orders", "sets = { items = {} }", "has an unknown set 'items'"),
        (
            "main",
            "supplier_number_attribute = 11",
            "is 11: write a whole number of at most 10.",
        ),
        (
            "main",
            "supplier_number_attribute = 0",
            "is 0: write a whole number of at least 1.",
        ),
        ("policy", 'reconcile_at = "4:30"', "[policy] reconcile_at is '4:30': write a time such as"),
        ("main", 'base_url = "http://cin7.example/"', "write https, since plain http is for this machine only."),
        ("main", 'base_url = "ftp://cin7.example/"', "write a URL such as https://host/path."),
        ("main", 'base_url = "https://[::1/"', "is not a URL"),
        ("main", 'base_url = "https://h:99999/"', "is not a URL"),
        ("main", 'read_back = "yes"', "[cin7.main] read_back is 'yes': write true or false."),
        ("main", "[cin7.Main]", "[cin7.Main]: name the account with a-z, 0-9, _ and - only."),
        ("policy", "total_tolerance = 0.01", "[policy] total_tolerance is 0.01: write text in quotes."),
        ("policy", 'total_tolerance = "-1"', "total_tolerance is '-1'"),
        ("policy", 'total_tolerance = "NaN"', "total_tolerance is 'NaN'"),
        ("policy", 'total_tolerance = "a penny"', "total_tolerance is 'a penny'"),
        ("policy", 'accounts = "same"', "accounts is 'same': write one of same-code, explicit."),
        ("policy", 'supplier_conflict = { name = "x" }', "write one of ifs, cin7, newest, hold."),
        ("policy", 'order_states = ["Cancelled"]', "'Cancelled' stands in order_states and in cancelled_states"),
        ("policy", "lease_s = 31", "lease_s is 31, too short for a call of [cin7.main]"),
        ("policy", "[polices]", "the file has an unknown key 'polices': did you mean 'policy'?"),
    ],
)
def test_a_fault_is_one_sentence_with_key_and_remedy(file: Path, place: str, line: str, sentence: str) -> None:
    assert sentence in fault(written(file, **{place: line}))


@pytest.mark.parametrize("url", ["http://localhost:8000/", "http://127.0.0.1:1/", "http://[::1]:1/x/"])
def test_plain_http_is_taken_on_this_machine(file: Path, url: str) -> None:
    assert load_settings(written(file, main=f'base_url = "{url}"')).cin7["main"].base_url == url


def test_a_password_in_a_url_is_refused_and_not_repeated(file: Path) -> None:
    message = fault(written(file, main='base_url = "https://me:hunter2@cin7.example/"'))
    assert "holds a user or password" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "[ifs] is missing: add it with base_url and realm."),
        ("ifs = 4", "ifs is not a table: write [ifs]"),
        ('[ifs]\nbase_url = "https://a.b"', "[ifs] lacks realm: add it."),
        ('[ifs]\nbase_url = "https://a.b"\nrealm = "x"', "no Cin7 account is named"),
        (
            '[ifs]\nbase_url = "https://a.b"\nrealm = "x"\n[cin7]\nsettle_s = 5',
            "settle_s stands in [cin7] itself: put it into a section per account, such as [cin7.main].",
        ),
        ("[ifs", "this is not TOML"),
        ("[ifs]\n[ifs]", "this is not TOML"),
    ],
)
def test_a_file_that_lacks_its_frame_says_what_to_add(file: Path, text: str, sentence: str) -> None:
    file.write_text(text, "utf-8")
    assert sentence in fault(file)


def test_a_missing_file_says_how_to_name_another(file: Path) -> None:
    assert "CONNECTOR_CONFIG" in fault(file)


def test_a_folder_or_a_file_of_another_encoding_is_not_read(file: Path) -> None:
    file.write_bytes("[ifs]\nrealm = 'Å'".encode("latin-1"))
    assert "save it as UTF-8" in fault(file)
    file.unlink()
    file.mkdir()
    assert "cannot be read" in fault(file)
