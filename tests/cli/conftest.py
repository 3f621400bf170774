from tests.resilience.fixtures import installation, template

__all__ = ["installation", "template"]
