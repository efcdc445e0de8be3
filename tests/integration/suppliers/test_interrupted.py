"""A write that was interrupted after it took effect: what it brought is not taken for a person's edit of that side."""

import contextlib
from typing import Any

import pytest

from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.test_machine import HEADERS
from tests.integration.suppliers.wires import Killed, Trouble

#: What whoever made the interrupted change does next: takes it back, or makes another one.
NEXT = ["Acme S1", "Third"]


def trouble_with_the_next(pair: Pair, method: str, trouble: Trouble) -> None:
    left = [trouble]
    pair.calls.trouble = lambda called, _path: left.pop() if called == method and left else None


def work_until_killed(pair: Pair) -> None:
    with contextlib.suppress(Killed):
        pair.work()
    assert pair.calls.dead
    pair.restart()


def names(pair: Pair) -> tuple[Any, Any]:
    return (
        pair.in_ifs(HEADERS, SupplierId="S1")[0]["Name"],
        pair.in_cin7(AdditionalAttribute1="S1")["Name"],
    )


def show_what_we_wrote(pair: Pair) -> None:
    """Let the other direction look at it before the interrupted one goes on."""
    pair.pass_time()
    pair.ledger_time_passes()
    pair.poll()


@pytest.mark.parametrize("name", NEXT)
@pytest.mark.parametrize("term", ["30 days", "60 days"], ids=["one part", "two parts"])
def test_a_killed_write_to_ifs_does_not_stand_against_the_next_edit_in_cin7(pair: Pair, name: str, term: str) -> None:
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    pair.edit_cin7(ID=supplier["ID"], Name="Second", PaymentTerm=term)
    pair.poll()
    trouble_with_the_next(pair, "PATCH", "killed after")
    work_until_killed(pair)
    assert names(pair) == ("Second", "Second")
    pair.edit_cin7(ID=supplier["ID"], Name=name)
    show_what_we_wrote(pair)
    pair.quiet()
    assert names(pair) == (name, name)
    assert pair.in_cin7(AdditionalAttribute1="S1")["PaymentTerm"] == term
    assert pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")[0]["PayTermId"] == term.partition(" ")[0]
    assert pair.rows("select message from finding") == []


@pytest.mark.parametrize("name", NEXT)
def test_a_killed_write_to_cin7_does_not_stand_against_the_next_edit_in_ifs(pair: Pair, name: str) -> None:
    pair.quiet()
    pair.edit_ifs(HEADERS, SupplierId="S1", Name="Second")
    pair.poll()
    trouble_with_the_next(pair, "PUT", "killed after")
    work_until_killed(pair)
    assert names(pair) == ("Second", "Second")
    pair.edit_ifs(HEADERS, SupplierId="S1", Name=name)
    show_what_we_wrote(pair)
    pair.quiet()
    assert names(pair) == (name, name)
    assert pair.rows("select message from finding") == []


@pytest.mark.parametrize(("method", "name"), [("PATCH", "From IFS"), ("PUT", "From Cin7")])
def test_a_write_that_never_left_is_in_common_with_nobody(pair: Pair, method: str, name: str) -> None:
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    if method == "PATCH":
        pair.edit_cin7(ID=supplier["ID"], Name="Second")
    else:
        pair.edit_ifs(HEADERS, SupplierId="S1", Name="Second")
    pair.poll()
    trouble_with_the_next(pair, method, "killed before")
    work_until_killed(pair)
    if method == "PATCH":
        pair.edit_ifs(HEADERS, SupplierId="S1", Name=name)
    else:
        pair.edit_cin7(ID=supplier["ID"], Name=name)
    show_what_we_wrote(pair)
    pair.quiet()
    assert [found[1:] for found in pair.findings()] == [("supplier.conflict", "name")]
    assert set(names(pair)) == {"Second", name}
