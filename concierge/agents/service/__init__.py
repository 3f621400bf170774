"""Decisions about agents: what they are, who they are, and what their strategies may be."""

from concierge.agents.service.agents import AgentService, AgentWithPacks
from concierge.agents.service.expertise import ExpertiseService
from concierge.agents.service.personas import PersonaService
from concierge.agents.service.strategies import StrategyService
from concierge.agents.service.writing import ModelChain, WritingService

__all__ = [
    "AgentService",
    "AgentWithPacks",
    "ExpertiseService",
    "ModelChain",
    "PersonaService",
    "StrategyService",
    "WritingService",
]
