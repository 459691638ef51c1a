"""A defect: which code is replaced by which, for as long as a block runs."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

Patch = Callable[[Any, Callable[[], None]], Any]
"""Makes the defective attribute from the right one; calls the second when it truly errs."""


@dataclass(slots=True)
class Acted:
    """How often a defect truly did something wrong."""

    count: int = 0

    def note(self) -> None:
        """Once more."""
        self.count += 1


@dataclass(frozen=True, slots=True)
class Site:
    """Where: an attribute of a module or class of the product, as its callers look it up."""

    owner: Any
    attribute: str
    patch: Patch

    @property
    def place(self) -> str:
        """Module and name."""
        owner = self.owner
        module = getattr(owner, "__module__", None)
        name = f"{module}.{owner.__qualname__}" if module else owner.__name__
        return f"{name}.{self.attribute}"

    @contextmanager
    def replaced(self, acted: Acted) -> Generator[None]:
        """Inside the block the attribute is the defective one; AttributeError without it."""
        kept = vars(self.owner).get(self.attribute)
        if kept is None:
            raise AttributeError(f"{self.place} is no more: the defect has to move")
        is_static = isinstance(kept, staticmethod)
        made = self.patch(kept.__func__ if is_static else kept, acted.note)
        setattr(self.owner, self.attribute, staticmethod(made) if is_static else made)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """``law``: the one of DESIGN 2 that it breaks; ``does``: what goes wrong, in plain words.

    ``town``: name of the town in ``towns.TOWNS`` where it is looked for.
    """

    name: str
    law: int
    does: str
    sites: tuple[Site, ...]
    town: str = "busy"

    @contextmanager
    def applied(self) -> Generator[Acted]:
        """The product with this defect."""
        acted = Acted()
        with ExitStack() as stack:
            for site in self.sites:
                stack.enter_context(site.replaced(acted))
            yield acted
