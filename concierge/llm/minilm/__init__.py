"""all-MiniLM-L6-v2 on the CPU: text in, unit vectors of 384 numbers out. No network, no torch."""

from concierge.llm.minilm.model import DIMENSION, MiniLM, TokenStates
from concierge.llm.minilm.weights import WeightsError

__all__ = ["DIMENSION", "MiniLM", "TokenStates", "WeightsError"]
