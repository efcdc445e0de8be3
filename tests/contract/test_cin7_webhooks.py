"""What we rely on about Cin7's webhooks, asked through our client."""

import msgspec
import pytest

from shared.cin7.errors import Cin7Denied, Cin7NoPage, Cin7Refused
from shared.cin7.records.webhooks import Header
from shared.cin7.registration import wanted
from tests.contract.test_cin7_client import Served, served  # noqa: F401 - a fixture, found by name.

URL = "https://hooks.example.com/hooks/cin7/main"
SECRET = "correct-horse-battery"


@pytest.fixture(name="cin7")
def cin7_fixture(served: Served) -> Served:  # noqa: F811
    return served


def test_a_webhook_is_created_changed_as_a_whole_and_deleted(cin7: Served) -> None:
    (made,) = cin7.cin7.create_webhook(wanted(URL, SECRET))
    assert made.id
    assert cin7.cin7.webhooks() == [made]
    assert (made.external_bearer_token, made.external_user_name, made.is_active) == (SECRET, "", True)
    headed = msgspec.structs.replace(made, external_headers=(Header(key="X-A", value="b"),), is_active=False)
    assert cin7.cin7.update_webhook(headed) == [headed]
    assert cin7.cin7.webhooks() == [headed]
    assert cin7.cin7.delete_webhook(made.id) == []


def test_a_sixth_of_one_type_is_a_definite_no(cin7: Served) -> None:
    for number in range(5):
        cin7.cin7.create_webhook(wanted(f"{URL}{number}", SECRET))
    with pytest.raises(Cin7Refused, match="same type"):
        cin7.cin7.create_webhook(wanted(URL, SECRET))


@pytest.mark.parametrize(("style", "error"), [("400", Cin7Refused), ("403", Cin7Denied), ("page", Cin7NoPage)])
def test_without_the_module_cin7_says_no_in_one_of_three_ways(cin7: Served, style: str, error: type[Exception]) -> None:
    cin7.sandbox.control("POST", "switches", {"automation_module": style})
    with pytest.raises(error):
        cin7.cin7.webhooks()
