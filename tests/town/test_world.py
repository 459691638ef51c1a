"""A town plays its plan: honest days come out to the cent, and one seed is one history."""

from cardlib.codec.purse import Suite
from simulator.card.masks import WHITE
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Kind, Size, make_plan
from simulator.town.plan.people import OTHER_CARDS
from simulator.town.state import Town
from simulator.town.world import World

SMALL = Size(people=4, shops=3)
AES = Suite.AES_128
KINDS = tuple(OTHER_CARDS.values())


def journals(town: Town) -> list[bytes]:
    """Every entry of every till."""
    return [entry for register in town.tills for entry in register.entries(0)]


def ledger_head(town: Town) -> tuple[int, bytes]:
    """Number and hash of the newest transfer."""
    with town.hall.backend.work.begin() as unit:
        return unit.ledger.head()


def test_an_honest_week_is_paid_to_the_cent() -> None:
    plan = make_plan(seed=1, days=7, size=SMALL)
    with World(plan) as world:
        world.play()
        delivered = world.town.truth.delivered()
        ibans = {shop.key: shop.iban for shop in plan.shops}
        assert len(world.town.truth.deliveries) > 8
        assert world.town.truth.loaded == world.town.truth.ordered
        for shop, cents in delivered.items():
            assert world.town.truth.paid[ibans[shop]] == cents


def test_one_seed_is_one_history() -> None:
    """A week with every kind of accident, twice: the same bytes, the same ledger, the same time."""
    plan = make_plan(seed=2, days=7, size=Size(people=3, shops=2), faults=0.3)
    histories = []
    for _ in range(2):
        with World(plan) as world:
            world.play()
            town = world.town
            histories.append((journals(town), ledger_head(town), town.time.now_ms))
    assert histories[0] == histories[1]


def test_more_faults_change_no_happening() -> None:
    calm, wild = (make_plan(seed=3, days=16, size=SMALL, faults=share) for share in (0.0, 0.5))
    assert not calm.accidents
    assert wild.accidents
    usual = {item.id for item in calm.happenings}
    bad_days = {item.id for item in wild.happenings} - usual
    rest = wild.without({item.id for item in wild.accidents} | bad_days)
    assert (rest.happenings, rest.people) == (calm.happenings, calm.people)


def test_a_happening_that_is_taken_out_changes_no_other() -> None:
    plan = make_plan(seed=3, days=5, size=SMALL, faults=0.5)
    gone = next(item for item in plan.happenings if item.kind is Kind.BUY)
    rest = tuple(item for item in plan.happenings if item is not gone)
    assert plan.without({gone.id}).happenings == rest


def test_every_kind_of_card_is_paid_with() -> None:
    """A services card, one with older keys, one with an applet, one on T=0, and the town's own."""
    plan = make_plan(seed=51, days=1, size=Size(people=12, shops=1, trips=9.0))
    buyers = {person.key for person in plan.people if (person.mask, person.suite) in KINDS}
    plan = plan.without(
        {item.id for item in plan.happenings if item.person and item.person not in buyers}
    )
    assert {(person.mask, person.suite) for person in plan.people} == {*KINDS, (WHITE, AES)}
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        bought = {item.person for item in world.town.truth.deliveries}
    kinds = {(person.mask, person.suite) for person in plan.people if person.key in bought}
    assert kinds == set(KINDS)
