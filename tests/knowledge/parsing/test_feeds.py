"""Feeds as strangers write them: what is in each row, and that nothing in them does harm."""

import json
from collections.abc import Mapping

import pytest

from concierge.kit.records import MAX_VALUE
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.feeds import MAX_IN_PROCESS_BYTES, MAX_ROWS, read_records


def rows(data: str | bytes, items: str | None = None) -> list[tuple[int, Mapping[str, str], str | None]]:
    found = read_records(data.encode() if isinstance(data, str) else data, items=items)
    return [(record.row, record.fields, record.problem) for record in found.rows]


def refused(data: str | bytes, items: str | None = None) -> tuple[str, str]:
    with pytest.raises(DocumentRejectedError) as refusal:
        rows(data, items)
    return refusal.value.code, refusal.value.detail


@pytest.mark.parametrize(
    "data",
    [
        '[{"id": 1, "title": "Oak"}]',
        '{"products": [{"id": 1, "title": "Oak"}]}',
        '{"data": {"shop": "x", "products": [{"id": 1, "title": "Oak"}]}}',
        '{"id": 1, "title": "Oak"}',
        '\ufeff[{"id": 1, "title": "Oak"}]',
        "id,title\n1,Oak\n",
        "id;title\r\n1;Oak\r\n",
        "id\ttitle\n1\tOak",
        "id|title\n1|Oak\n\n",
        '\ufeff"id","title"\n"1","Oak"\n',
        "id,title\n1,Oak\n".encode("utf-16"),
    ],
    ids=str,
)
def test_a_row_is_the_same_in_every_form(data: str | bytes) -> None:
    assert [fields for _, fields, _ in rows(data)] == [{"id": "1", "title": "Oak"}]


def test_a_table_of_an_old_program_keeps_its_letters() -> None:
    assert rows("id,title\n1,Küche\n".encode("cp1252"))[0][1]["title"] == "Küche"


def test_what_is_nested_is_named_by_its_path() -> None:
    record = {
        "name": {"en": "Oak"},
        "tags": ["new", None, "wood"],
        "variants": [{"price": 349.00}, {"price": 12345678901234567890.12}],
        "sold": False,
        "nothing": None,
    }

    assert rows(json.dumps([record]).replace("349.0", "349.00"))[0][1] == {
        "name.en": "Oak",
        "tags": "new, wood",
        "variants.0.price": "349.00",
        "variants.1.price": "1.2345678901234567e+19",
        "sold": "false",
    }


def test_rows_are_numbered_as_a_reader_of_the_file_counts() -> None:
    assert [row for row, _, _ in rows("id,title\n1,a\n2,b\n")] == [2, 3]
    assert [row for row, _, _ in rows('[{"a": 1}, {"a": 2}]')] == [1, 2]
    assert [row for row, _, _ in rows('{"a": 1}\n\n{"a": 2}\n')] == [1, 3]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ('[{"id": 1}, {"id": 2, "price": 3, "price": 4}]', "“price” twice"),
        ('[{"id": 1}, 7]', "not an object"),
        ('[{"id": 1}, null]', "not an object"),
        ('{"id": 1}\n{"id": 2\n', "not valid JSON"),
        ("id,title\n1,a\n2,b,c\n", "only 2 columns"),
        ('id,title\n1,a\n2,"b\n', "never closed"),
        ('id,title\n1,a\n2,"b"c\n', "never closed, or stands where none belongs"),
        (json.dumps([{"id": 1}, {str(i): i for i in range(201)}]), "more than 200 fields"),
    ],
)
def test_what_is_wrong_with_a_row_is_its_own_problem(data: str, problem: str) -> None:
    first, second = rows(data)

    assert first[2] is None
    assert first[1]["id"] == "1"
    assert problem in str(second[2])
    assert second[1] == {}


def test_rows_behind_a_broken_quotation_mark_are_read() -> None:
    found = rows('id,title\n1,a\n2,"b\n3,c\n4,d\n')

    assert [(row, fields.get("title"), problem is None) for row, fields, problem in found] == [
        (2, "a", True),
        (3, None, False),
        (4, "c", True),
        (5, "d", True),
    ]


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        ("", "document_empty", "empty"),
        (b"\xef\xbb\xbf\n \n", "document_empty", "empty"),
        ("just words", "document_corrupt", "does not look like a table"),
        ('[{"id": NaN}]', "document_corrupt", "“NaN”"),
        ('[{"id": -Infinity}]', "document_corrupt", "“-Infinity”"),
        ("[" * 100_000, "document_corrupt", "nested too deeply"),
        ('{"a":' * 100_000, "document_corrupt", "nested too deeply"),
        ('[{"id": 1}', "document_corrupt", "line 1, column 11"),
        ('{"title": "no list",\n "a": 1}', "document_corrupt", "no list of objects at all"),
        ("id,title\n" + "1,a\n" * (MAX_ROWS + 1), "document_too_large", "20,000 rows"),
        (json.dumps([{"i": 1}] * (MAX_ROWS + 1)), "document_too_large", "20,000 rows"),
        ("id,title\n" + '2,"b\n' * 300, "document_corrupt", "too many rows"),
        ('"id,title\n1,a\n', "document_corrupt", "names its columns"),
        (b"id,title\n1,\x00\n", "document_binary", "not text"),
        (b"PK\x03\x04" + bytes(50), "document_binary", "not text"),
        (",".join(f"c{i}" for i in range(201)) + "\n", "document_too_large", "more than 200 columns"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_feed_is_refused_with_the_reason(data: str | bytes, code: str, says: str) -> None:
    found, detail = refused(data)

    assert (found, says in detail) == (code, True), detail


def test_a_list_that_is_not_where_it_was_said_to_be_is_named() -> None:
    data = '{"shop": {"goods": [{"id": 1}]}}'

    assert rows(data, "shop.goods")[0][1] == {"id": "1"}
    for wrong in ("shop", "shop.items", "shop.goods.9", "a.b.c.d.e"):
        assert "“shop.goods”" in refused(data, wrong)[1]


def test_numbers_are_text_however_long() -> None:
    assert rows('[{"id": ' + "9" * 100_000 + "}]")[0][1]["id"] == "9" * MAX_VALUE


def test_what_lies_deep_is_left_out() -> None:
    nested = '{"a":' * 50 + "1" + "}" * 50

    assert rows(f'[{{"id": 1, "x": {nested}}}]')[0][1] == {"id": "1"}


def test_a_large_feed_is_read_in_the_sandbox_just_the_same() -> None:
    many = [{"id": i, "title": f"Thing {i}", "text": "word " * 20} for i in range(3_000)]
    data = json.dumps(many)
    assert len(data) > MAX_IN_PROCESS_BYTES

    found = rows(data)

    assert len(found) == 3_000
    assert found[2_999][1]["title"] == "Thing 2999"
    assert "nested" in refused("[" * 400_000)[1]
