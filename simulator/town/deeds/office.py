"""What the town hall, its operator and the bank do."""

from typing import TYPE_CHECKING

from simulator.errors import TownError
from simulator.town.plan.model import AccidentKind, Happening

if TYPE_CHECKING:
    from simulator.town.world import World


def settle(world: "World", happening: Happening) -> None:
    """Batches, their review, approvals, the payment order."""
    slips = any(one.kind is AccidentKind.SLIP for one in happening.accidents)
    seed = happening.seed if slips else None
    world.accountant.settle(happening.until_ms // 1000, seed)


def desk_work(world: "World", _happening: Happening) -> None:
    """Cases are closed, refunds ordered; who is owed one is told."""
    if world.recovering or world.hall_copy is not None:
        return
    world.desk_work.close_cases()
    moved = {old: who.purse for old, who in world.holders.items() if who.purse is not None}
    for purse in world.desk_work.order_refunds(moved):
        world.holders[purse].waiting += 1


def pay(world: "World", happening: Happening) -> None:
    """The bank's evening."""
    fails = not happening.id.startswith("end-")
    world.bank.carry_out(world.accountant, happening.seed, happening.id, fails=fails)


def end_day(world: "World", _happening: Happening) -> None:
    """The night work of the backend; after a restored backup it is asked whether all are back."""
    if world.recovering:
        world.recovering = not world.operator.end_recovery()
    if world.operator.end_day().rests_ordered:
        for citizen in world.citizens.values():
            citizen.waiting += citizen.rest_due


def backup_backend(world: "World", _happening: Happening) -> None:
    """The operator copies the database."""
    if not world.recovering:
        world.hall_copy = world.hall.backup()


def restore_backend(world: "World", happening: Happening) -> None:
    """The copy is put back: tills send again what they have sent since, people enter their acts."""
    if world.hall_copy is not None:
        world.hall.restore(world.hall_copy)
        world.declared.backend_restored()
        world.recovering = True
        for purse, loads in world.official.enter_again().items():
            if purse in world.holders:
                world.holders[purse].waiting = max(world.holders[purse].waiting, loads)
        world.truth.struck[happening.kind] += 1
    world.hall_copy = None


def announce_keys(world: "World", _happening: Happening) -> None:
    """The next key set."""
    world.operator.announce_keys()


def begin_keys(world: "World", _happening: Happening) -> None:
    """Cards may change."""
    world.operator.begin_keys()


def statements(world: "World", happening: Happening) -> None:
    """Every shop gets its statement, keeps it, and looks whether its own sales are in it."""
    for shop, merchant in world.founding.merchants.items():
        tills = [till for till in world.tills if till.shop == shop and not till.gone]
        row = world.accountant.statement(merchant, happening.until_ms // 1000)
        if shop not in world.shops or row is None:
            continue
        world.declared.statements.append((merchant, bytes.fromhex(str(row["bytes"]))))
        for register in tills:
            faults = register.check_statement(row)
            if faults:
                raise TownError(
                    "TOWN_ENTRY_LOST", law=7, seed=world.seed, happening=happening.id, cents=0,
                    what=f"the statement of {shop}: {faults}", subject=f"till {register.terminal}",
                )  # fmt: skip


def give_back(world: "World", _happening: Happening) -> None:
    """What nobody was awarded returns to the funder."""
    if not world.recovering:
        world.official.give_back()
