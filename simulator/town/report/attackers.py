"""Adversaries by name: every class of ``simulator.town.adversaries`` that says what it expects."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from simulator.errors import TownError
from simulator.town import adversaries
from simulator.town.adversaries.adversary import Adversary

Maker = Callable[[], Adversary]


@cache
def known() -> Mapping[str, Maker]:
    """Makers by name, as a command takes it: with hyphens."""
    found: dict[str, Maker] = {}
    for item in iter_modules(adversaries.__path__, f"{adversaries.__name__}."):
        module = import_module(item.name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            name = getattr(kind, "name", "")
            if kind.__module__ == item.name and isinstance(name, str) and name:
                found[hyphened(name)] = cast("Maker", kind)
    return dict(sorted(found.items()))


def called(names: tuple[str, ...]) -> list[Adversary]:
    """One of each; TownError ``TOWN_ADVERSARY_UNKNOWN``."""
    makers = known()
    for name in names:
        if name not in makers:
            raise TownError("TOWN_ADVERSARY_UNKNOWN", name=name, known=", ".join(makers))
    return [makers[name]() for name in names]


def hyphened(name: str) -> str:
    """``stale-read`` for ``stale read``."""
    return name.replace(" ", "-")
