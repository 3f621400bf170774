"""Decisions about agents and what their strategies may be."""

from concierge.agents.service.agents import AgentService, AgentWithPacks
from concierge.agents.service.strategies import StrategyService

__all__ = ["AgentService", "AgentWithPacks", "StrategyService"]
