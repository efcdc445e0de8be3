from shared.ifs.memory import Memory, PageSizes


def test_a_page_below_one_seen_before_ends_its_set() -> None:
    sizes = PageSizes()
    assert not sizes.is_last("Set", 300, 500, strict=True)
    assert sizes.is_last("Set", 299, 500, strict=True)
    assert not sizes.is_last("Other", 299, 500, strict=True)


def test_a_short_page_is_taken_on_trust_unless_nothing_may_be_missed() -> None:
    sizes = PageSizes()
    assert sizes.is_last("Set", 10, 500, strict=False)
    assert not PageSizes().is_last("Set", 10, 500, strict=True)
    assert not PageSizes().is_last("Set", 25, 500, strict=False)


def test_a_cap_once_found_is_never_trusted_again() -> None:
    sizes = PageSizes()
    sizes.is_last("Set", 12, 500, strict=True)
    sizes.looked_past("Set", 12, more=True)
    sizes.looked_past("Set", 12, more=False)
    assert not sizes.is_last("Set", 12, 500, strict=False)
    assert not sizes.is_last("Other", 12, 500, strict=False)


def test_a_set_that_was_looked_past_is_believed_unless_its_size_could_be_a_cap() -> None:
    sizes = PageSizes()
    for rows in (217, 200):
        sizes.looked_past("Set", rows, more=False)
    assert sizes.is_last("Set", 217, 500, strict=True)
    assert not PageSizes().is_last("Set", 200, 500, strict=True)


def test_full_and_empty_pages_speak_for_themselves() -> None:
    sizes = PageSizes()
    assert not sizes.is_last("Set", 500, 500, strict=False)
    assert sizes.is_last("Set", 0, 500, strict=True)


def test_what_was_missing_and_what_was_seen_is_known() -> None:
    memory = Memory()
    memory.miss("Entity/Set")
    memory.remember([b"a"])
    assert memory.is_missing("Entity/Set")
    assert not memory.is_missing("Other")
    assert memory.has_seen(b"a")
    assert not memory.has_seen(b"b")
