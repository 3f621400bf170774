import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.kit.text import normalize
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.text import decode

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
TRICKY = st.text(
    alphabet="ab \t\n\r\x0b\x0c\x85\u2028\xa0\u200b\xad\ufeff\u202ee\u0301\ud800\x00", max_size=60
)


@given(ANY_TEXT | TRICKY)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(ANY_TEXT | TRICKY)
def test_normal_text_has_no_control_characters_and_one_form(text: str) -> None:
    normal = normalize(text)
    assert all(
        unicodedata.category(character) not in {"Cc", "Cs"} or character in "\n\t" for character in normal
    )
    assert unicodedata.is_normalized("NFC", normal)
    assert "\n\n\n" not in normal
    assert not any(line != line.rstrip(" \t") for line in normal.split("\n"))
    assert normal.encode().decode() == normal


@given(st.text(st.characters(categories=("L", "N", "P")), min_size=1))
def test_words_survive(text: str) -> None:
    assert normalize(text) == unicodedata.normalize("NFC", text)


@given(
    st.text(alphabet="äöüßéèñ€ abc.\n", min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_unicode_encodings_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_old_encodings_are_read_as_declared_or_as_windows() -> None:
    assert decode("Preis: 20 € – günstig".encode("cp1252")) == "Preis: 20 € – günstig"
    assert decode("Цена".encode("koi8-r"), "KOI8-R") == "Цена"
    assert decode("Größe".encode("cp1252"), "zlib") == "Größe"
    assert decode("Größe".encode("cp1252"), "no-such-charset") == "Größe"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", bytes(range(1, 256)) * 4, b"text\x00more text"]
)
def test_binary_data_is_no_text(data: bytes) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        decode(data)
    assert caught.value.code == "document_binary"


def test_long_runs_of_blanks_take_no_time() -> None:
    assert normalize("a" + " " * 2_000_000 + "b\t\t \nc").endswith("b\nc")
