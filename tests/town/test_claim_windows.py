"""A card that is never seen again: after the claim windows two people decide, by the papers."""

from simulator.town.checks.town_checks import TownChecks
from simulator.town.world import World
from tests.town.mutations.towns import TOWNS

SEED = 3
"""An honest sale is torn before its certificate; a rogue shop has claimed its record before."""


def test_an_honest_sale_that_nothing_proves_is_paid_beside_an_invented_one() -> None:
    town = TOWNS["rogues"]
    adversaries = [adversary() for adversary in town.adversaries]
    with World(town.plan(SEED), watchers=[*adversaries, TownChecks()]) as world:
        world.play()
        honest = {shop.key: shop.iban for shop in world.town.plan.shops}
        gave, paid = world.town.truth.delivered(), world.town.truth.paid
        assert gave.total()
        assert world.town.hall.backend.cases.waiting() == []
        assert {gave[shop] - paid[iban] for shop, iban in honest.items()} == {0}
