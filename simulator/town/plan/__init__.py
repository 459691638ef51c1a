"""What is going to happen in a town: pure, from one seed; see ``model`` and ``making``."""

from simulator.town.plan.making import make_plan
from simulator.town.plan.model import (
    Accident,
    AccidentKind,
    Happening,
    Kind,
    Person,
    Plan,
    Shop,
    Size,
)

__all__ = [
    "Accident",
    "AccidentKind",
    "Happening",
    "Kind",
    "Person",
    "Plan",
    "Shop",
    "Size",
    "make_plan",
]
