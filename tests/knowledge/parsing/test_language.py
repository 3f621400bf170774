"""The language of a document that does not declare one."""

import pytest

from concierge.knowledge.parsing import parse
from concierge.knowledge.parsing.language import language_of

SENTENCES = {
    "en": "You have thirty days from the delivery to return any product, and we collect it for free at your door.",
    "de": "Sie haben ab der Lieferung dreißig Tage Zeit, und wir holen die Ware auf unsere Kosten bei Ihnen ab.",
    "fr": "Vous avez trente jours pour retourner un article, et nous venons le chercher chez vous sans frais.",
    "es": "Tiene treinta días desde la entrega para devolver el producto y lo recogemos en su casa sin coste.",
    "it": "Ha trenta giorni dalla consegna per restituire il prodotto e lo ritiriamo a casa sua senza spese.",
    "pt": "Tem trinta dias para devolver o produto e nós vamos buscá-lo em sua casa sem custos para você.",
    "nl": "U heeft dertig dagen na de levering om het product terug te sturen en wij halen het gratis bij uw huis op.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_or_two_tell_the_language(language: str) -> None:
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize(
    "text", ["", "Palma 3-seater 899", "SELECT * FROM chairs;", "返品は三十日以内です。"]
)
def test_what_does_not_tell_is_not_guessed(text: str) -> None:
    assert language_of(text) is None


def test_what_a_document_declares_counts_more_than_its_words() -> None:
    source = f"---\nlang: de\n---\n\n{SENTENCES['en']}"

    assert parse(source.encode(), filename="a.md", media_type=None).language == "de"
    assert parse(SENTENCES["fr"].encode(), filename="a.txt", media_type=None).language == "fr"
