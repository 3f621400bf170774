"""What visitors say to the shop of the writer's tests, conversation by conversation."""

from collections.abc import Mapping
from typing import Final

from concierge.catalog.schemas.context import ProductContext
from concierge.customers.schemas.context import CustomerContext
from tests.chat.situations import SHOP, fact, returning
from tests.chat.writers.library import Library
from tests.chat.writers.speaking import STRANGER, Said, Visit

OWNER: Final = returning(
    fact("Lagoon table", "has trouble with the Lagoon table: wobbles", "problem"),
    fact("Palma sofa", "bought the Palma sofa"),
    fact("back", "has a bad back", "constraint", relevance=0.9),
)
SEEKER: Final = returning(
    fact("living room", "is furnishing a living room", "goal"), goals=("a living room",)
)
MESSAGES: Final[Mapping[str, tuple[CustomerContext, ProductContext, tuple[str, ...]]]] = {
    "calm": (
        STRANGER,
        SHOP,
        (
            "How long do I have to return something?",
            "What does delivery to Norway cost?",
            "Do you plant trees?",
            "Do you ship to Iceland?",
            "Can I bring my dog to the showroom?",
            "Thanks, that helps!",
        ),
    ),
    "prices": (
        STRANGER,
        SHOP,
        (
            "Hi there, what do you have for pricing?",
            "how much are chairs?",
            "any discounts at the moment?",
            "What does delivery to Germany cost?",
            "What does it weigh?",
        ),
    ),
    "let down": (
        STRANGER,
        SHOP,
        (
            "where is my table??",
            "I asked already. Where is my table?!",
            "This is the THIRD time I'm asking, where is my table??",
            "This is ridiculous, nobody answers!",
            "What does a sofa cost? Mine is still broken and I am furious!",
            "I want to speak to a human NOW",
        ),
    ),
    "worried": (
        STRANGER,
        SHOP,
        (
            "I'm worried the sofa is too heavy for our old floor, what does it weigh?",
            "I'm afraid I missed the date. How long do I have to return it?",
            "And is it safe for my baby? I'm a little nervous.",
        ),
    ),
    "excited": (
        STRANGER,
        SHOP,
        (
            "I'm so excited, we just moved into our new house!! Which colours does the Palma come in?",
            "I can't wait!! How long does delivery to Switzerland take?",
            "Amazing!! How long is the warranty on the frame?",
        ),
    ),
    "looking": (
        STRANGER,
        SHOP,
        ("just looking around", "what do you sell?", "Which colours does the Palma come in?", "ok great"),
    ),
    "back again": (
        OWNER,
        SHOP,
        (
            "Hello again",
            "I need help with my order",
            "How long are the cushions covered?",
            "How do I start a return?",
            "thank you so much, perfect",
        ),
    ),
    "with a goal": (
        SEEKER,
        SHOP,
        ("Hi!", "I'd like to buy a sofa, what do you have?", "What do sofas cost?"),
    ),
    "no catalogue": (
        STRANGER,
        ProductContext(),
        (
            "Hello",
            "just browsing",
            "what do you have for pricing?",
            "How heavy is the Palma sofa?",
            "can I get a discount?",
            "bye",
        ),
    ),
    "ten turns": (
        STRANGER,
        SHOP,
        (
            "Hello!",
            "Do you sell lawn mowers?",
            "Do you ship to Iceland?",
            "Do you have a gift registry?",
            "How heavy is the Palma sofa?",
            "Who founded the company?",
            "Do you sell wallpaper?",
            "Is there parking nearby?",
            "How do I start a return?",
            "bye",
        ),
    ),
    "confused": (
        STRANGER,
        SHOP,
        (
            "Sorry, I'm confused, how do I start a return?",
            "I don't understand, what can not be returned?",
            "Is it difficult to put together?",
        ),
    ),
}


def spoken(library: Library) -> dict[str, list[Said]]:
    visits = {name: Visit(library, customer, products) for name, (customer, products, _) in MESSAGES.items()}
    return {name: visit.all(MESSAGES[name][2]) for name, visit in visits.items()}
