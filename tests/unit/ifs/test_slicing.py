from shared.ifs.slicing import slices


def test_each_known_company_is_asked_for_by_name_and_all_others_together() -> None:
    found = slices(["20", "10", "O'N"], "Company")
    assert [one.company for one in found] == ["10", "20", "O'N", ""]
    assert [one.condition for one in found] == [
        "Company eq '10'",
        "Company eq '20'",
        "Company eq 'O''N'",
        "not (Company eq '10' or Company eq '20' or Company eq 'O''N')",
    ]
    assert [one.condition for one in slices([], "Company")] == [""]


def test_so_many_companies_that_one_address_cannot_name_them_are_asked_for_alone() -> None:
    assert len(slices([f"{number}" for number in range(1000)], "Company")) == 1000
