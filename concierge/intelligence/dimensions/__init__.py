"""One module for each dimension. A module that defines DIMENSION here is found and read with the others.

A dimension reads a view of the message, and of the dimensions it `needs`, what they read. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from concierge.intelligence.schemas import Reading
from concierge.intelligence.view import MessageView

Readings = Mapping[str, Reading[Any]]


@dataclass(frozen=True, slots=True)
class Dimension:
    name: str
    read: Callable[[MessageView, Readings], Reading[Any]]
    needs: tuple[str, ...] = ()


@cache
def dimensions() -> Sequence[Dimension]:
    """Every dimension, each after those it needs."""
    found = [import_module(f"{__name__}.{module.name}").DIMENSION for module in iter_modules(__path__)]
    by_name: dict[str, Dimension] = {dimension.name: dimension for dimension in found}
    order = TopologicalSorter({name: dimension.needs for name, dimension in by_name.items()})
    return [by_name[name] for name in order.static_order()]
