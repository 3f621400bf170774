"""Documents of a trade, and what visitors ask its experts of them."""

from collections.abc import Mapping
from typing import Final

DOCUMENTS: Final[Mapping[str, str]] = {
    "Drawers and doors": """# Drawers and doors

A drawer sticks when its runner is dry or when the air is too damp.

## Dry runner

A dry runner usually causes a scraping noise from the first day. Rub candle wax along the runner.

## Damp air

Damp air may make the wood swell, and the drawer sticks more in autumn than in spring. Air the room three times a day.

## Keeping it that way

Never oil a drawer's runner, because oil collects dust. Wax it once a year to avoid a sticking drawer.
""",
    "Oiling wood": """# Oiling wood

Wood is oiled so that it takes up less water. Most people use too much oil: what the wood has not taken after 20 minutes turns sticky.

Put on a thin film of oil along the grain. Wipe off what is left after 20 minutes. Oil a table twice a year.

Hard wax oil lasts longer than plain oil, but a scratch in it cannot be mended in one spot. Plain oil can be renewed in one spot.
""",
    "Bookcase": """# Bookcase

The bookcase is 90 cm wide and carries 25 kg a shelf. It stands on four feet that can be turned by 15 mm.

It is anchored to the wall with a steel bracket. Without the bracket the bookcase is not safe in homes with children.

The bookcase has a warranty of 10 years. It is certified FSC Mix.
""",
}
TALKS: Final[Mapping[str, tuple[str, ...]]] = {
    "support": (
        "The drawer of my sideboard sticks",
        "Only in the left corner, since last week",
        "I waxed the runner and the drawer still sticks",
        "How do I fix a sticking drawer?",
        "The drawer works now. How do I avoid a sticking drawer in the future?",
        "Thank you, that helped!",
    ),
    "guru": (
        "What does oil do to wood?",
        "Why is oiled wood sticky?",
        "How often should I oil a table?",
        "Where can I read more about oiling wood?",
    ),
    "engineer": (
        "Tell me about the bookcase",
        "A niche that is 90 cm wide, would the bookcase fit?",
        "Can I leave out the steel bracket of the bookcase?",
        "What is the difference between hard wax oil and plain oil?",
    ),
    "sales": (
        "Would you recommend the bookcase?",
        "It is for our children's room",
        "Does the bookcase have a warranty?",
        "I'd like to order the bookcase",
    ),
}
