"""Orders that show in their wording: to forget the rules, to shape an answer, to be somebody else. Pure."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Where an order may begin: with the sentence, after a comma or a colon, or behind what makes it one.
_BEGINS = (
    r"(?:^|[,;:.!?–—(\"'“”*>\]-]\s*|\b(?:please|now|then|and|just|kindly|also|instead|must|should|shall|will|to|"
    r"(?:can|could|would|will) you|bitte|por favor)\s+)(?:please\s+|now\s+|kindly\s+|always\s+|also\s+)*"
)
_ANSWER = r"(?:responses?|answers?|repl(?:y|ies)|antwort(?:en)?|réponses?|respuestas?)"
_YOUR = r"(?:your|deine[rnms]?|ihre[rnms]?|votre|vos|ta|tu|su)"
_PARTS = r"(?:(?:next|final|entire|whole|full|own|every|all|each|written|generated|first|last|upcoming|main)\s+){0,3}"
YOUR_ANSWER = rf"\b{_YOUR}\s+{_PARTS}{_ANSWER}\b"
_MESSAGE = rf"\b{_YOUR}\s+{_PARTS}(?:messages?|outputs?|text|words|sentences|summary|writing|speech)\b"
# What one does to an answer before it is given.
_SHAPES = (
    r"(?:add|alter|alternate|anagram|append|arrange|attach|augment|avoid|begin|capitali[sz]e|change|cipher|combine|compose|"
    r"conclude|convert|craft|double|embed|emphasi[sz]e|encode|encrypt|end|enhance|enrich|ensure|expand|express|finish|"
    r"flip|format|formulate|give|group|hide|highlight|hint|include|incorporate|inject|insert|integrate|interweave|"
    r"introduce|invert|jumble|limit|link|make|mention|misspell|mix|modify|obfuscate|offer|omit|paraphrase|phrase|"
    r"place|precede|prefix|prepend|present|promote|provide|put|randomi[sz]e|rearrange|recommend|remove|render|reorder|"
    r"repeat|rephrase|replace|request|reverse|rewrite|rhyme|scramble|separate|shift|shuffle|sign|slip|sort|spell|"
    r"split|sprinkle|start|state|structure|substitute|suggest|supplement|swap|tease|transform|translate|turn|use|"
    r"weave|wrap|write)"
)
_GARBLES = (
    r"(?:anagram|capitali[sz]e|convert|delete|double|encode|encrypt|flip|group|invert|jumble|mirror|misspell|mix|omit|"
    r"rearrange|remove|replace|reverse|scramble|separate|shift|shuffle|sort|spell|substitute|swap|switch|turn)"
)
_LANGUAGES = (
    r"(?:english|french|german|spanish|italian|portuguese|russian|chinese|japanese|korean|arabic|hindi|dutch|latin|"
    r"turkish|polish|swedish|greek|klingon|pig latin)"
)
_FORMS = (
    rf"(?:{_LANGUAGES}|json|xml|yaml|base ?64|base ?32|hex(?:adecimal)?|binary|morse(?: code)?|rot ?13|(?:a )?(?:caesar )?ciphers?|"
    r"emojis?|rhymes?|(?:a )?haikus?|(?:a )?poems?|riddles?|uppercase|lowercase|(?:all )?caps|capital letters|reverse(?: order)?|"
    r"backwards|leetspeak|(?:a )?pirate|shakespeare|one word|single word|yes or no|bullet points|anagrams?)"
)
_OVERRIDE = (
    r"(?:ignore|disregard|forget|override|overrule|discard|dismiss|erase|neglect|bypass|abandon|"
    r"(?:do not|don['’]t|stop|cease|no longer) (?:follow(?:ing)?|obey(?:ing)?|apply(?:ing)?|heed(?:ing)?))"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|existing|original|initial|former|other|your|system|"
    r"past|given|everything|anything|before|so far)"
)
_RULES = r"(?:instructions?|prompts?|rules?|guidelines?|directives?|directions?|orders?|programming|training|constraints?|restrictions?)"
_AI = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpt(?:-?\d)?|copilot|claude|gemini|"
    r"ai (?:assistants?|agents?|models?|systems?)|virtual assistants?|digital assistants?)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`weight` 1 and above is enough by itself; lighter ones count together. Where `sign` is not, `pattern` is neither."""

    weight: float
    pattern: re.Pattern[str]
    sign: re.Pattern[str]


def _rule(weight: float, sign: str, *patterns: str) -> Rule:
    return Rule(weight, re.compile("|".join(patterns), re.IGNORECASE), re.compile(sign))


RULES: Mapping[str, Rule] = {
    "overrides earlier instructions": _rule(
        1.0,
        r"instruct|prompt|rule|guideline|directi|order|program|training|constraint|restrict|told|said|above|before|learned|anweis|regel|vorgabe|instruk|instruc|consigne|règle|reglas|indicac",
        rf"{_BEGINS}{_OVERRIDE}\b[^.!?\n]{{0,60}}\b{_EARLIER}\b[^.!?\n]{{0,40}}\b{_RULES}\b",
        rf"{_BEGINS}{_OVERRIDE}\b[^.!?\n]{{0,40}}\b{_RULES}\b[^.!?\n]{{0,40}}\b(?:above|before|so far|you (?:were|have been|received|had))\b",
        rf"{_BEGINS}{_OVERRIDE}\s+(?:all|everything|anything)\b[^.!?\n]{{0,30}}\b(?:told|said|above|before|instructed|learned)\b",
        r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b[^.!?\n]{0,60}\b(?:anweisung|regel|vorgabe|instruktion|prompt)\w*",
        r"\b(?:ignore[zr]?|oublie[zr]?)\b[^.!?\n]{0,60}\b(?:instructions?|consignes?|règles?|directives?)\b[^.!?\n]{0,30}\b(?:précédent|antérieur|ci-dessus|initial)\w*",
        r"\b(?:ignora|ignore|olvida|olvide)\w*\b[^.!?\n]{0,60}\b(?:instrucciones|reglas|indicaciones)\b[^.!?\n]{0,30}\b(?:anterior|previa|inicial)\w*",
    ),
    "shapes the answer": _rule(
        1.0,
        r"respon|answer|repl|antwort|réponse|respuest|speak|talk|communicate",
        rf"{_BEGINS}{_SHAPES}\b[^\n]{{0,200}}?{YOUR_ANSWER}",
        rf"{_BEGINS}(?:with)?in {YOUR_ANSWER}\s*,?\s*(?:please |always |you (?:must|should) )?(?:{_SHAPES}|tell|say|claim|announce|deny|warn|ask|invite)\b",
        rf"{_BEGINS}(?:respond|answer|reply|speak|talk|communicate)\b[^.!?\n]{{0,30}}\b(?:in|with|using|like|as)\b[^.!?\n]{{0,25}}\b{_FORMS}\b",
        rf"{_BEGINS}{_SHAPES}\b[^.!?\n]{{0,60}}\bto {_YOUR} repl(?:y|ies)\b",
    ),
    "shapes the message": _rule(
        0.5, r"your|deine|ihre|votre|vos|ta |tu |su ", rf"{_BEGINS}{_SHAPES}\b[^.!?\n]{{0,120}}{_MESSAGE}"
    ),
    "garbles letters": _rule(
        0.6,
        r"letter|vowel|conson|spac|punct|charact|word|cipher|substitution",
        rf"^\W{{0,6}}(?:please\s+|now\s+)*{_GARBLES}\b[^.!?\n]{{0,40}}\b(?:letters?|vowels?|consonants?|spaces?|spacing|punctuation|characters|words)\b",
        r"\b(?:homophonic|alphanumeric|substitution) (?:substitution|cipher)|\b(?:caesar|vigen[eè]re|atbash|rot-?13) cipher",
    ),
    "speaks to an AI": _rule(
        1.0,
        r"ai\b|a\.i|llm|model|bot|gpt|copilot|claude|gemini|assistant|you|dan\b",
        rf"{_BEGINS}(?:dear|hey|hello|hi|attention|note (?:to|for)|message (?:to|for)|instructions? (?:to|for)|attn)[,:]?\s+(?:the |any |all |this )?{_AI}\b",
        rf"\bif you(?:['’]re| are)\s+(?:an?|the)\s+(?:\w+\s+)?{_AI}\b",
        rf"{_BEGINS}you(?:['’]re| are)\s+(?:now\s+)?(?:an?\s+|the\s+)?(?:\w+\s+)?(?:{_AI}\b|DAN\b|jailbroken|unrestricted|unfiltered|(?:no longer|not) bound\b)",
        rf"\b(?:any|all|every) {_AI}s? (?:reading|processing|summari[sz]ing|that reads?|who reads?|parsing)\b",
        rf"{_BEGINS}as an? {_AI},?\s+you\s+(?:must|should|will|shall|have to|need to|are required)",
        r"\byou(?:['’]re| are) (?:now )?in (?:developer|debug|god|dan|jailbreak|admin|unrestricted) mode\b",
    ),
    "has the marks of a prompt": _rule(
        1.0,
        r"<|\[|system|new|update|additional|real|actual|secret|hidden",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id)\|>",
        r"\[/?INST\]|<</?SYS>>",
        r"^\W{0,8}(?:begin |end |new |updated |start of |end of )?system (?:prompt|instructions?|message|override|command)\W*(?::|$)",
        r"^\W{0,8}(?:new|updated|additional|real|actual|secret|hidden) (?:instructions?|prompt|task|directives?)\s*:",
    ),
    "asks for the prompt": _rule(
        1.0,
        r"prompt|instruct|rules|guideline",
        rf"{_BEGINS}(?:reveal|print|repeat|show|output|disclose|leak|display|expose|recite|share|send|write|give|tell)\b[^.!?\n]{{0,40}}\b"
        r"(?:your|the) (?:(?:system|initial|hidden|secret|original|full|entire|exact|internal|previous|above) ){1,3}(?:prompt|instructions?|rules|guidelines)\b",
    ),
    "sets new rules": _rule(
        0.7,
        r"from now|from this point|starting now|henceforth|for the rest|your",
        r"\b(?:from now on|from this point (?:on|forward)|starting now|henceforth|for the rest of (?:this|the) (?:conversation|chat))\b,?\s+"
        r"(?:you (?:must|are|will (?:act|be|only|always|respond|answer|reply|speak)|should|shall)|always|only|never|respond|answer|reply|act|speak|ignore|pretend)",
        rf"{_BEGINS}(?:your (?:new|real|actual|only|true) (?:task|goal|job|role|objective|instructions?|purpose|mission|identity))\b\s*(?:is|are|:)",
    ),
    "plays a role": _rule(
        0.6,
        r"act as|pretend|role|imagine|you are now|persona",
        rf"{_BEGINS}(?:act as|pretend (?:to be|that you|you)|role-?play as|you are now (?:an?|the|going|called|named)|imagine (?:that )?you(?:['’]re| are)|take (?:on )?the role of|assume the (?:role|identity|persona) of)\b",
    ),
    "is to stay hidden": _rule(
        0.6,
        r"tell|mention|reveal|disclose|inform",
        rf"{_BEGINS}(?:do not|don['’]t|never)\s+(?:tell|mention|reveal|disclose|inform)\b[^.!?\n]{{0,30}}\b(?:users?|visitors?|readers?|humans?|anyone|this (?:instruction|message|note))\b",
    ),
    "steers what a visitor is told": _rule(
        0.6,
        r"user|visitor|reader|human|person|anyone|instruction|message|note|when",
        rf"{_BEGINS}(?:tell|inform|assure|convince|persuade|trick|urge|redirect|lure)\s+(?:the |every |all |any |your )?(?:users?|visitors?|readers?|humans?|person asking)\b",
        r"\bwhen(?:ever)? (?:asked|someone asks|(?:a|the) (?:user|visitor|customer) asks)\b[^.!?\n]{0,80}\b(?:say|answer|respond|reply|tell|claim|state)\b",
    ),
}
ENOUGH = 1.0
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,2000}={0,2}(?![A-Za-z0-9+/=])")
# Letters of other scripts that look like Latin ones, and the invisible ones that parsing has left.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁոАВЕКМНОРСТУХІЈЅ", "aeopcyxijsdnABEKMHOPCTYXIJS")


def reasons(text: str) -> dict[str, float]:
    """Return which rules a sentence breaks, with their weights."""
    plain = text.translate(_LOOKALIKES)
    lower = plain.lower()
    found = {
        name: rule.weight
        for name, rule in RULES.items()
        if rule.sign.search(lower) and rule.pattern.search(plain)
    }
    if any(sum(reasons(hidden).values()) >= ENOUGH for hidden in _decoded(plain)):
        found["hides an order in code"] = 1.0
    return found


def _decoded(text: str) -> Iterator[str]:
    """What long runs of Base64 say, where that is a text."""
    for match in _BASE64.finditer(text):
        try:
            yield base64.b64decode(match.group(), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
