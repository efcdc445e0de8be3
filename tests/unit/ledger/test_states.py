"""The table of moves itself: every state can be reached and left, and an end is an end."""

from shared.ledger.states import MOVES, MOVING, OPEN, STATES

ENDS = {"written", "superseded", "echo", "dismissed"}


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(STATES)
    assert len(set(STATES)) == len(STATES)


def test_moves_lead_to_states_and_never_to_the_same_one() -> None:
    for was, moves in MOVES.items():
        assert moves <= set(STATES)
        assert was not in moves


def test_an_end_is_an_end_and_everything_else_is_open() -> None:
    assert {state for state, moves in MOVES.items() if not moves} == ENDS
    assert set(OPEN) == set(STATES) - ENDS
    assert set(MOVING) < set(OPEN)


def test_every_state_can_be_reached_and_every_open_one_can_end() -> None:
    def reached(begin: str) -> set[str]:
        found, left = {begin}, [begin]
        while left:
            news = MOVES[left.pop()] - found  # type: ignore[index]
            found |= news
            left += news
        return found

    assert reached("detected") == set(STATES)
    for state in OPEN:
        assert reached(state) & ENDS


def test_whatever_is_open_can_be_overtaken_by_a_newer_version() -> None:
    assert all("superseded" in MOVES[state] for state in OPEN)


def test_nothing_is_written_that_was_not_mapped() -> None:
    assert {was for was, moves in MOVES.items() if "written" in moves} == {"mapped", "retrying"}


def test_what_is_held_goes_on_only_from_the_beginning() -> None:
    assert MOVES["held"] == {"detected", "dismissed", "superseded"}
