"""How the agent approaches this visitor in this turn. Pure: the same input gives the same strategy."""
