"""How one sentence joins another. Pure."""


def is_prose(line: str) -> bool:
    """Whether a sentence can stand on the same line."""
    return (
        bool(line.strip())
        and not line.lstrip().startswith(("|", "-", "*", "#", "```", "1."))
        and line.strip()[:2] != "> "
    )
