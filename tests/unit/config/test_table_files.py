"""Mapping tables as CSV files, good and bad."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.table_columns import TABLES, iso_countries, tables_of
from shared.config.table_files import TableFault, read_table, write_table

ACCOUNTS = TABLES["accounts"]
COMPANIES = TABLES["companies"]
TAX_CODES = TABLES["tax_codes"]
PRODUCTS = TABLES["products"]


def cells(table: str, text: str) -> list[tuple[str | None, ...]]:
    return [row.cells for row in read_table(TABLES[table], text)]


@pytest.mark.parametrize(
    "text",
    [
        "company,ifs_account,cin7_code\n10,4010,400\n",
        "\ufeffcompany,ifs_account,cin7_code\r\n10,4010,400\r\n",
        "company,ifs_account,cin7_code\r10,4010,400",
        'Cin7_Code, COMPANY ,"ifs_account"\n"400", 10 ,4010\n,,\n\n',
    ],
)
def test_marks_line_ends_quotes_order_and_empty_rows_do_not_matter(text: str) -> None:
    assert cells("accounts", text) == [("10", "4010", "400")]


def test_a_column_that_may_be_empty_may_be_left_out() -> None:
    assert cells("companies", "company,cin7_account\n10,main\n") == [("10", "main", None, None, None, None)]


@pytest.mark.parametrize(
    ("table", "text", "sentence"),
    [
        ("accounts", "", "line 1: no headings"),
        ("accounts", "\n10,1,2", "line 1: no headings"),
        ("accounts", "company;ifs_account;cin7_code\n1;2;3", "separated by semicolons"),
        ("accounts", "company\tifs_account\tcin7_code\n1\t2\t3", "separated by tabs"),
        ("accounts", "company,ifs_acount,cin7_code\n", "unknown heading 'ifs_acount'; did you mean 'ifs_account'?"),
        ("accounts", "company,company,cin7_code\n", "heading 'company' stands there twice"),
        ("accounts", "company,ifs_account\n1,2", "heading 'cin7_code' is missing"),
        ("accounts", "company,ifs_account,cin7_code\n1,2,3\n1,2", "line 3: 2 cells where the headings name 3"),
        ("accounts", "company,ifs_account,cin7_code\n1,2,3,4", "line 2: 4 cells where the headings name 3"),
        ("accounts", "company,ifs_account,cin7_code\n1,2,3\n\n1,2,4", "line 4: 1/2 stands on line 2 already"),
        (
            "accounts",
            "company,ifs_account,cin7_code\n1,2,\n,2,3",
            "column cin7_code: empty; it needs a value (and 1 more).",
        ),
        ("accounts", "company,ifs_account,cin7_code\n1,2,3\n1,\x00,3", "line 3: a NUL character"),
        ("accounts", 'company,ifs_account,cin7_code\n1,2,"3\n4"', "line 2, column cin7_code: a line break"),
        ("accounts", 'company,ifs_account,cin7_code\n1,2,"3', "line 2: not CSV"),
        ("accounts", 'company,ifs_account,cin7_code\n1,"2"x,3', "line 2: not CSV"),
        (
            "accounts",
            f"company,ifs_account,cin7_code\n1,2,{'3' * 257}",
            "column cin7_code: 257 characters; at most 256",
        ),
        ("companies", "company,cin7_account\n10,Main", "line 2, column cin7_account: write the name"),
        ("companies", "company,cin7_account,lead\n10,main,maybe", "line 2, column lead: write yes or no"),
        (
            "tax_codes",
            "company,ifs_code,cin7_tax_rule,percent\n1,a,b,abc",
            "line 2, column percent: write a percentage",
        ),
        ("tax_codes", "company,ifs_code,cin7_tax_rule,percent\n1,a,b,NaN", "line 2, column percent"),
        ("tax_codes", "company,ifs_code,cin7_tax_rule,percent\n1,a,b,-1", "line 2, column percent"),
        ("tax_codes", "company,ifs_code,cin7_tax_rule,percent\n1,a,b,101", "line 2, column percent"),
        ("tax_codes", "company,ifs_code,cin7_tax_rule,percent\n1,a,b,1e1", "line 2, column percent"),
        ("tax_codes", 'company,ifs_code,cin7_tax_rule,percent\n1,a,b,"7,5"', "line 2, column percent"),
        ("tax_codes", "company,ifs_code,cin7_tax_rule,percent\n1,a,b,٢", "line 2, column percent"),
        ("countries", "code,name\nGBR,Britain", "line 2, column code: write the two letters"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_column(table: str, text: str, sentence: str) -> None:
    with pytest.raises(TableFault) as caught:
        read_table(TABLES[table], text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_named_is_the_one_an_editor_shows() -> None:
    text = 'ifs_part,sku\n"a\n\nb",c\nd,"' + "e" * 300 + '"\n'
    with pytest.raises(TableFault, match=r"line 2, column ifs_part.*and 1 more"):
        read_table(PRODUCTS, text)
    with pytest.raises(TableFault, match=r"line 3, column sku"):
        read_table(PRODUCTS, "ifs_part,sku\na,b\nd," + "e" * 300)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "'x", "'", "''", "'=1", "\uff1d1"])
def test_nothing_exported_runs_in_a_spreadsheet_and_all_of_it_comes_back(cell: str) -> None:
    text = write_table(PRODUCTS, [(cell, cell)])
    assert all(not value.startswith(("=", "+", "-", "@")) for value in text.splitlines()[1].split(","))
    assert [row.cells for row in read_table(PRODUCTS, text)] == [(cell, cell)]


_cell = (
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(lambda text: bool(text) and text.isprintable())
)


@given(st.dictionaries(st.tuples(_cell, _cell), _cell, max_size=5))
def test_every_table_comes_back_from_its_own_file(rows: dict[tuple[str, str], str]) -> None:
    table = [(company, account, code) for (company, account), code in rows.items()]
    read = [row.cells for row in read_table(ACCOUNTS, write_table(ACCOUNTS, table))]
    assert read == table


@given(st.text(max_size=200))
def test_any_text_is_rows_or_a_fault(text: str) -> None:
    with contextlib.suppress(TableFault):
        assert all(row.key[0] for row in read_table(COMPANIES, text))


def test_codes_are_kept_in_the_form_that_is_asked_for() -> None:
    assert cells("countries", "code,name\ngb,Britain\n") == [("GB", "Britain")]
    assert cells("companies", "company,cin7_account,lead\n10,main,YES\n")[0][-1] == "yes"


def test_rows_become_what_mappings_ask() -> None:
    tables = tables_of(
        {
            "companies": [("10", "main", "Leeds", "800", "GST", "yes"), ("20", "main", "", "", "", "")],
            "sites": [("S1", "10", "Yard")],
            "accounts": [("10", "4010", "400")],
            "payment_terms": [("10", "30", "30 days")],
            "tax_codes": [("10", "A", "Standard", "20"), ("10", "B", "None", "")],
            "products": [("P1", "SKU1"), ("P2", "")],
            "countries": [("GB", "Great Britain")],
        }
    )
    assert tables.companies["10"].lead
    assert not tables.companies["20"].lead
    assert tables.sites["S1"].location == "Yard"
    assert tables.accounts["10", "4010"] == "400"
    assert tables.payment_terms["10", "30"] == "30 days"
    assert str(tables.tax_codes["10", "A"].percent) == "20"
    assert tables.tax_codes["10", "B"].percent is None
    assert tables.products == {"P1": "SKU1"}
    assert (tables.countries["GB"], tables.countries["SE"]) == ("Great Britain", "Sweden")


def test_country_names_are_built_in_for_every_country_and_nothing_else() -> None:
    names = iso_countries()
    assert (names["GB"], names["AU"], names["US"]) == ("United Kingdom", "Australia", "United States")
    assert not {"ZZ", "EU", "UN", "XA"} & names.keys()
    # ISO 3166-1 assigns 249 codes; Kosovo's XK is not one of them, yet suppliers live there.
    assert len(names) == 250
