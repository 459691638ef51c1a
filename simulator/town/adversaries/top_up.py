"""A small load that is due to a person, as adversaries like one between two of their steps."""

from dataclasses import replace

from simulator.town.adversaries.till_attack import Scene
from simulator.town.deeds.cards import collect, order_load
from simulator.town.plan.calendar import GROCERIES

CENTS = 500


def top_up(scene: Scene, cents: int = CENTS) -> bool:
    """An approved order, fetched at the desk; whether the money is on the card."""
    happening = replace(scene.happening, cents=cents, programme=GROCERIES, shop="", till=0)
    order_load(scene.town, happening)
    collect(scene.town, happening)
    return scene.citizen.waiting == 0
