"""Proof of what a language model wrote: each sentence against the passages it rests on. Pure."""

from concierge.chat.grounding.ground import ground
from concierge.chat.grounding.proof import proven
from concierge.chat.grounding.schemas import Checked, Evidence, Grounded

__all__ = ["Checked", "Evidence", "Grounded", "ground", "proven"]
