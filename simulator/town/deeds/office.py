"""What the town hall, its operator and the bank do."""

from simulator.errors import TownError
from simulator.town.plan.finale import FINALE
from simulator.town.plan.model import AccidentKind, Happening
from simulator.town.state import Town


def settle(town: Town, happening: Happening) -> None:
    """Batches, their review, approvals, the payment order."""
    slips = any(one.kind is AccidentKind.SLIP for one in happening.accidents)
    seed = happening.seed if slips else None
    town.accountant.settle(happening.until_ms // 1000, seed)


def desk_work(town: Town, _happening: Happening) -> None:
    """Cases are closed, refunds ordered; who is owed one is told.

    A copy that is put back forgets decisions, and they are taken again; no refund is ordered
    before: a load without an award is on no paper.
    """
    if town.recovering:
        return
    town.desk_work.close_cases()
    if town.hall_copy is not None:
        return
    moved = {old: who.purse for old, who in town.holders.items() if who.purse is not None}
    for purse in town.desk_work.order_refunds(moved):
        town.holders[purse].waiting += 1


def pay(town: Town, happening: Happening) -> None:
    """The bank's evening."""
    fails = not happening.id.startswith(FINALE)
    town.bank.carry_out(town.accountant, happening.seed, happening.id, fails=fails)


def end_day(town: Town, _happening: Happening) -> None:
    """The night work of the backend; after a restored backup it is asked whether all are back."""
    if town.recovering:
        town.recovering = not town.operator.end_recovery()
    if town.operator.end_day().rests_ordered:
        for citizen in town.citizens.values():
            citizen.waiting += citizen.rest_due
    town.declared.night_s = town.hall_clock.unix_ms() // 1000


def hall_clock(town: Town, happening: Happening) -> None:
    """The backend's clock goes wrong, or somebody sets it right."""
    if happening.seconds:
        town.hall_clock.jump(happening.seconds)
        town.truth.struck["clock_jump"] += 1
    else:
        town.hall_clock.set_right()


def backup_backend(town: Town, _happening: Happening) -> None:
    """The operator copies the database."""
    if not town.recovering:
        town.hall_copy = town.hall.backup()


def restore_backend(town: Town, happening: Happening) -> None:
    """The copy is put back: tills send again what they have sent since, people enter their acts."""
    if town.hall_copy is not None:
        town.hall.restore(town.hall_copy)
        town.declared.backend_restored()
        town.recovering = True
        town.operator.enter_again(till.certificate for till in town.tills)
        for citizen in town.citizens.values():
            if citizen.purse is not None:
                town.desk_work.enter_again(citizen.purse, blocked=citizen.blocked)
        for purse, loads in town.official.enter_again().items():
            if purse in town.holders:
                town.holders[purse].waiting = max(town.holders[purse].waiting, loads)
        town.truth.struck[happening.kind] += 1
    town.hall_copy = None


def announce_keys(town: Town, _happening: Happening) -> None:
    """The next key set; not between a backup and its return."""
    if town.hall_copy is None:
        town.operator.announce_keys()


def begin_keys(town: Town, _happening: Happening) -> None:
    """Cards may change."""
    if town.hall_copy is None:
        town.operator.begin_keys()


def statements(town: Town, happening: Happening) -> None:
    """Every shop gets its statement, keeps it, and looks whether its own sales are in it."""
    for shop, merchant in town.founding.merchants.items():
        tills = [till for till in town.tills if till.shop == shop and not till.gone]
        row = town.accountant.statement(merchant, happening.until_ms // 1000)
        if shop not in town.shops or row is None:
            continue
        town.declared.statements.append((merchant, bytes.fromhex(str(row["bytes"]))))
        for register in tills:
            faults = register.check_statement(row)
            if register.forgot:  # what it sold and forgot is the shop's all the same
                faults = tuple(one for one in faults if one.code != "STATEMENT_LINE_FOREIGN")
            if faults:
                raise TownError(
                    "TOWN_ENTRY_LOST", law=7, seed=town.seed, happening=happening.id, cents=0,
                    what=f"the statement of {shop}: {faults}", subject=f"till {register.terminal}",
                )  # fmt: skip


def give_back(town: Town, _happening: Happening) -> None:
    """What nobody was awarded returns to the funder."""
    if not town.recovering:
        town.official.give_back()
