from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Numeric, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class Agent(Base):
    __tablename__ = "agents"
    __table_args__ = (ForeignKeyConstraint(["org_id", "persona_id"], ["personas.org_id", "personas.id"]),)

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    greeting: Mapped[str] = mapped_column(default="")
    grounding_mode: Mapped[str] = mapped_column(default="blended")
    allowed_origins: Mapped[list[str]] = mapped_column(default=list)
    shows_intelligence_to_visitors: Mapped[bool] = mapped_column(default=False)
    strategy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    persona_id: Mapped[UUID | None]
    tool_policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    domain_expertise_enabled: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AgentPack(Base):
    """Which packs an agent answers from, in the order they were given."""

    __tablename__ = "agent_packs"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "agent_id"], ["agents.org_id", "agents.id"]),
        ForeignKeyConstraint(["org_id", "pack_id"], ["knowledge_packs.org_id", "knowledge_packs.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)


class StrategyDefaults(Base):
    """What an organization says of all its agents' strategies; an agent's own word comes before it."""

    __tablename__ = "strategy_defaults"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    strategy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Persona(Base):
    """Who an agent may be. `tactics` is a style with its steps, `response_patterns` are wordings by a step's name."""

    __tablename__ = "personas"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    template_name: Mapped[str | None]
    system_prompt: Mapped[str]
    tactics: Mapped[dict[str, Any]]
    communication_style: Mapped[dict[str, Any]]
    response_patterns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PersonaVersion(Base):
    """A persona as it was from one change to the next; the newest is the persona itself."""

    __tablename__ = "persona_versions"
    __table_args__ = (ForeignKeyConstraint(["org_id", "persona_id"], ["personas.org_id", "personas.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    persona_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    template_name: Mapped[str | None]
    system_prompt: Mapped[str]
    tactics: Mapped[dict[str, Any]]
    communication_style: Mapped[dict[str, Any]]
    response_patterns: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LanguageModelRow(Base):
    """A model of a vendor with an organization's own key, sealed. Prices are US dollars for a million tokens."""

    __tablename__ = "language_models"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    model: Mapped[str]
    url: Mapped[str | None]
    sealed_key: Mapped[bytes]
    read_price: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    written_price: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WritingDefaults(Base):
    """Which models write for an organization's agents that say nothing else, and what all of them may cost."""

    __tablename__ = "writing_defaults"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    writing: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AgentWriting(Base):
    """Which models write for one agent, and what it may cost by itself."""

    __tablename__ = "agent_writing"
    __table_args__ = (ForeignKeyConstraint(["org_id", "agent_id"], ["agents.org_id", "agents.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(primary_key=True)
    writing: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
