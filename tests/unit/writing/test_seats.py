from workers.writing.seats import THREADS, Seat, Seats


def test_live_entries_may_take_every_seat_and_replays_half_of_them() -> None:
    seats = Seats(1)
    replays = [Seat("replay") for _ in range(THREADS)]
    assert sum(one.take(seats) for one in replays) == THREADS // 2
    changes = [Seat("live") for _ in range(THREADS)]
    assert sum(one.take(seats) for one in changes) == THREADS - THREADS // 2


def test_several_accounts_share_the_threads() -> None:
    main, second = Seats(2), Seats(2)
    work = [Seat("live") for _ in range(THREADS)]
    assert sum(one.take(main) for one in work) == THREADS // 2
    assert Seat("live").take(second)


def test_a_seat_is_taken_once_and_given_back_with_the_work() -> None:
    seats = Seats(THREADS)
    first, second = Seat("backfill"), Seat("live")
    assert first.take(seats)
    assert first.take(seats)
    assert not second.take(seats)
    first.leave()
    assert second.take(seats)
    assert not first.take(seats)
    second.leave()
    assert first.take(seats), "a seat that was not to be had leaves the others as they were"
