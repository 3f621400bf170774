"""All SQL about agents and who they are."""

from concierge.agents.repository.agents import AgentRepository
from concierge.agents.repository.personas import PersonaRepository

__all__ = ["AgentRepository", "PersonaRepository"]
