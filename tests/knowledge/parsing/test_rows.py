"""A row of a spreadsheet is a unit of meaning: in a long table each says by itself what its columns are."""

import resource
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing import parse
from concierge.knowledge.parsing.rows import MAX_ROWS, read_delimited, with_long_tables_by_row
from tests.knowledge.parsing.files import spreadsheet

HEADER = "Item,Price,Colour"
CHAIRS = [f"Chair {number},${100 + number},Sand" for number in range(60)]


def test_a_small_table_stays_a_table() -> None:
    text = parse(f"{HEADER}\nOak chair,$120,Sand\n".encode(), filename="prices.csv", media_type=None).text

    assert text == "| Item | Price | Colour |\n| --- | --- | --- |\n| Oak chair | $120 | Sand |"


def test_each_row_of_a_long_table_names_its_columns() -> None:
    text = parse("\n".join([HEADER, *CHAIRS]).encode(), filename="prices.csv", media_type=None).text

    assert text.splitlines()[7] == "- Item: Chair 7; Price: $107; Colour: Sand"
    assert len(text.splitlines()) == 60


def test_empty_cells_and_unnamed_columns_are_told_apart() -> None:
    rows = "\n".join(
        [f"Item,,Colour\nChair {number},oiled,{'Sand' * (number % 2)},extra" for number in range(40)]
    )

    lines = read_delimited(f"Item,,Colour\n{rows}").splitlines()

    assert "- Item: Chair 0; Column 2: oiled; Column 4: extra" in lines
    assert "- Item: Chair 1; Column 2: oiled; Colour: Sand; Column 4: extra" in lines


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(delimiter: str) -> None:
    text = read_delimited(f"Item{delimiter}Price\nOak chair{delimiter}$120\nTable{delimiter}$400\n")

    assert text.splitlines()[0] == "| Item | Price |"


def test_a_long_table_of_a_spreadsheet_is_read_by_row_and_its_sheet_keeps_its_name() -> None:
    rows = "\n".join(f"| Chair {number} | ${number} |" for number in range(80))
    sheet = f"## Prices\n\n| Item | Price |\n| --- | --- |\n{rows}\n\n## Notes\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n"

    text = with_long_tables_by_row(sheet)

    assert "## Prices\n\n- Item: Chair 0; Price: $0\n" in text
    assert text.endswith("## Notes\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n")


def test_a_million_rows_are_refused_with_their_number() -> None:
    table = "Item,Price\n" + "Chair,1\n" * 1_000_000

    with pytest.raises(DocumentRejectedError, match=f"more than {MAX_ROWS:,} rows") as refused:
        parse(table.encode(), filename="big.csv", media_type=None)
    assert refused.value.code == "document_too_large"


def test_a_spreadsheet_of_a_million_rows_is_refused_with_their_number_and_is_never_in_memory() -> None:
    rows = (("Item", str(number * 7919 % 1_000_003)) for number in range(1_000_000))
    data = spreadsheet(rows)
    began, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

    with pytest.raises(DocumentRejectedError, match=f"more than {MAX_ROWS:,} rows") as refused:
        parse(data, filename="big.xlsx", media_type=None)

    assert refused.value.code == "document_too_large"
    assert perf_counter() - began < 10
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 400 * 1024)


def test_a_spreadsheet_has_as_many_rows_as_a_table_may() -> None:
    data = spreadsheet([("Item", "Price"), *(("Chair", f"${number}") for number in range(MAX_ROWS))])

    text = parse(data, filename="prices.xlsx", media_type=None).text

    assert text.endswith(f"- Item: Chair; Price: ${MAX_ROWS - 1}")


def test_a_cell_that_never_ends_is_a_damaged_table() -> None:
    with pytest.raises(DocumentRejectedError):
        read_delimited('Item,Price\n"Chair,' + "x" * 200_000)


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(text: str) -> None:
    try:
        read = read_delimited(text)
    except DocumentRejectedError:
        return
    assert all(line.startswith(("|", "- ")) for line in read.splitlines())
