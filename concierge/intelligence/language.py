"""Which language a message is in, told by common words, letters and scripts. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from concierge.intelligence.tokens import Token

ENGLISH: Final = "en"
_SURE: Final = 4.0  # So much evidence leaves hardly a doubt.
_SPECIAL_WEIGHT: Final = 0.6
_LEAD: Final = 1.2

# The words that visitors use most when they write to a business; one that several languages share counts less.
_COMMON: Final = {
    "en": "the and of to in is you that it for on with are this be your from or have not can will our what i my me we do "
    "does did how why when where which who please thanks thank hello hi hey want need would could should there any get he she they him her his hers them their theirs then than as over under out up down who had die very like only also even because about into off now here some all one more most much many too really make makes made go goes going see look looks looking think feel feels ya yo son main goal after before while being isnt anyone cost easily "
    "just so but if was has been am im ive dont cant its help order account about like know tell more a an at by no yes",
    "de": "der die das und ist nicht ein eine einen mit sie für auf den dem von zu im auch wird sind werden bei oder wir "
    "ihre ihr ich mir mich mein meine meinen bitte danke hallo guten tag wie was wann wo warum welche kann können habe "
    "hat haben möchte will wurde noch immer schon sehr aber wenn dass es gibt mehr keine kein nur bestellung rechnung "
    "konto geht funktioniert hilfe brauche guten morgen abend vielen lieferung preis kostet viel",
    "fr": "le les des et est une un pour dans que vous avec sur pas nous du ce qui votre sont par plus au ou être je mon ma "
    "mes bonjour merci salut comment pourquoi quand où quel quelle quels combien puis peux voudrais veux suis ai avez "
    "il elle ne me se commande compte toujours très mais si cela ça aide besoin bonsoir prix coûte jour livraison c'est "
    "s'il plaît plait la de en cest jai nai",
    "es": "el los las y es una un para que con por del su se no más como sus esta este al está son yo mi mis me hola gracias "
    "cómo cuándo dónde por qué cuál cuánto quiero puedo necesito tengo tiene hay pedido cuenta pero si muy ya todavía "
    "ayuda buenos días buenas tardes favor cuesta precio la de en lo le ha he estoy envío quisiera cancelar",
    "it": "il gli che di è una un per con non del della dalla dal sono nel alla le lo più questo anche si da dei ha come o "
    "io mio mia miei mi ciao grazie buongiorno buonasera salve perché quando dove quale quanto vorrei posso ho bisogno "
    "ordine conto ma se molto ancora già aiuto costa prezzo favore c'è la e in cè abbonamento funziona",
    "pt": "vocês têm tem outra outro cor esta mesa cadê vcs vc o os as que é uma um para com não do da em se por mais dos como você sua ao ou são nos pelo eu meu minha meus me "
    "olá oi obrigado obrigada bom dia boa tarde porque quando onde qual quanto quero posso preciso tenho tem pedido "
    "conta mas muito ainda já ajuda custa preço favor está isso de e a na no estou gostaria assinatura funciona",
    "nl": "de het een en van is niet dat met voor op zijn aan je wij er ook naar deze uw bij worden kan of ik mijn mij hallo "
    "bedankt dank goedemorgen goedendag hoe wat wanneer waar waarom welke hoeveel wil graag heb heeft hebben nog steeds "
    "al maar als geen meer bestelling rekening hulp nodig werkt kost prijs alstublieft kunt dit mag te in wel",
}
_SPECIAL: Final = {
    "de": re.compile("[äöüß]", re.IGNORECASE),
    "fr": re.compile("[çèêëàùœ]", re.IGNORECASE),
    "es": re.compile("[ñ¿¡áíóú]", re.IGNORECASE),
    "pt": re.compile("[ãõâç]", re.IGNORECASE),
    "it": re.compile("[èòàùì]", re.IGNORECASE),
    "nl": re.compile("ij"),
}
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_SCRIPT_SHARE: Final = 0.3


def _by_word() -> dict[str, dict[str, float]]:
    sets = {language: set(words.replace("'", "").split()) for language, words in _COMMON.items()}
    every = set[str]().union(*sets.values())
    return {word: _shared(word, sets) for word in every}


def _shared(word: str, sets: dict[str, set[str]]) -> dict[str, float]:
    languages = [language for language, words in sets.items() if word in words]
    return dict.fromkeys(languages, 1 / len(languages))


_WORDS: Final = _by_word()
_SMALL: Final = {
    code: frozenset(words.replace("'", "").split()) for code, words in _COMMON.items() if code != ENGLISH
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language by its two-letter code; `telling` are the words that showed it."""

    code: str
    confidence: float
    telling: tuple[Token, ...] = ()


def language_of(text: str, words: Sequence[Token], expected: str = "") -> Tongue:
    """`expected` is what the page says of its visitor: it decides where the words do not."""
    looked_at = text[:2_000]
    for code, script in _SCRIPTS:
        if len(script.findall(looked_at)) > _SCRIPT_SHARE * len(looked_at.replace(" ", "")):
            return Tongue(code, 0.95)
    scores = _scores(looked_at, words)
    best = max(scores, key=lambda code: scores[code])
    others = max(score for code, score in scores.items() if code != best)
    if scores[best] <= 0 or scores[best] < _LEAD * others or (best != ENGLISH and scores[best] < 1):
        fallback = expected if expected in _COMMON else ENGLISH
        return Tongue(fallback, 0.5)
    telling = tuple(word for word in words if best in _WORDS.get(word.text, ()))
    return Tongue(best, min(0.98, 0.6 + 0.4 * (scores[best] - others) / _SURE), telling)


def _scores(text: str, words: Sequence[Token]) -> dict[str, float]:
    scores = dict.fromkeys(_COMMON, 0.0)
    for word in words[:200]:
        for language, share in _WORDS.get(word.text, {}).items():
            scores[language] += share
    for language, letters in _SPECIAL.items():
        scores[language] += _SPECIAL_WEIGHT * min(3, len(letters.findall(text)))
    return scores


def common_words(code: str) -> frozenset[str]:
    """The small words of a language that say nothing by themselves."""
    return _SMALL.get(code, frozenset())


@cache
def stop_words() -> frozenset[str]:
    """English words that name no thing."""
    path = files("concierge.intelligence") / "lexicons" / "stopwords.txt"
    return frozenset(path.read_text("utf-8").split())
