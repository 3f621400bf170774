from tests.knowledge.surfing import clock, counting, reaching, site, surfer

__all__ = ["clock", "counting", "reaching", "site", "surfer"]
