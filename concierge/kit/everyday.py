"""What visitors call by one word and businesses by another, for searching. Pure.

“Send back” is looked for under “return” as well, “wobbles” under “rocks”. The list holds words of everyday life that are
asked about in every trade; what a trade calls its own things is the business's to say.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from concierge.kit.words import terms

# How visitors say it, and what it may be called where it is written of.
_SAID: Final = (
    (r"(?:send|give|bring|take|ship|mail)\w* (?:\w+ ){0,3}back", "return"),
    (r"(?:do|can|will|could|would) you (?:\w+ )?ship|ship (?:to|it|them)", "delivery deliver"),
    (r"(?:money|cash) (?:\w+ )?back", "refund"),
    (r"wobbl\w*|shak(?:y|es|ing)|unsteady|unstable|tilts?", "rocks uneven"),
    (r"rock(?:s|ing|y)", "wobbles uneven"),
    (r"creak\w*|squeak\w*", "creaking squeaking"),
    (r"how wide", "width"),
    (r"how (?:tall|high)", "height"),
    (r"how deep", "depth"),
    (r"how (?:heavy)|weigh(?:s|t)?", "weight"),
    (r"how big|how large|dimensions?|measurements?", "size"),
    (r"hold(?:s)? (?:me|us|up)|strong enough", "load"),
    (r"crack\w*|scratch\w*|dent\w*|torn|broken", "damage"),
    (
        r"(?:talk|speak|chat|write) (?:to|with) (?:an? |some)?(?:real |live )?(?:human|person|one|body|colleague|agent)",
        "colleague support contact",
    ),
    (r"(?:call|ring|phone) (?:you|us|somebody|someone)|by phone|phone number", "phone"),
    (r"audit\w*|inspect\w*", "audit inspector check"),
    (r"instal?ments?|pay (?:\w+ )?(?:in parts|monthly|later)", "instalments"),
    (r"stol(?:en)?|theft", "stolen lost"),
    (r"delet\w*|eras\w*|wip(?:e|ed)", "delete remove"),
    (r"(?:raise|lift|up|increase) (?:my |the |our )?(?:\w+ )?limit", "increase limit request"),
    (r"never spend more|spend(?:ing)? too much|cap (?:my|our|the) (?:bill|costs?|spend\w*)", "limit usage cost"),
    (r"e-?mail you|write (?:to )?you|reach you|get in touch", "contact support email"),
    (r"cash ?back|rewards?", "rewards"),
    (r"stain\w*|spill\w*|spilt", "stain"),
    (r"lap(?:se|ses)|run(?:s)? out|expir\w*", "expire valid"),
)  # fmt: skip
_COMPILED: Final = tuple((re.compile(rf"\b(?:{said})\b", re.IGNORECASE), called) for said, called in _SAID)


@cache
def _stems(called: str) -> tuple[str, ...]:
    return tuple(terms(called))


def also_called(text: str) -> Iterator[str]:
    """Yield the stems of what a text speaks of under other words."""
    for said, called in _COMPILED:
        if said.search(text):
            yield from _stems(called)
