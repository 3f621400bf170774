"""All SQL about agents and who they are."""

from concierge.agents.repository.agents import AgentRepository
from concierge.agents.repository.personas import PersonaRepository
from concierge.agents.repository.writing import WritingRepository

__all__ = ["AgentRepository", "PersonaRepository", "WritingRepository"]
