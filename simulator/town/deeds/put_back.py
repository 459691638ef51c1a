"""A till's disk is put back to an older copy, and the till goes on as if nothing had been.

What the copy lacks and the backend has is found out at the first report: the till refuses the
answer (``ACKNOWLEDGEMENT_FOREIGN``), the backend keeps what does not fit aside, with an alarm,
and the shop calls the town hall, which gives it a till of a new number. What nobody had been told
yet is on the cards alone; the till goes on, and people decide by the shop's papers. Where the
copy lacks nothing, nothing is to be seen.
"""

from hashlib import sha256

from cardlib.wire.upload import BATCH_ENTRIES_MAX
from simulator.errors import TownError
from simulator.town.actors.cashier import Cashier
from simulator.town.actors.register import Register
from simulator.town.plan.model import Happening
from simulator.town.state import Town
from terminal.agent.loop import RoundReport
from terminal.agent.step import NOT_PLACED

FOREIGN = "ACKNOWLEDGEMENT_FOREIGN"
ANSWERED = ("", NOT_PLACED)
"""How a round ends in which the till took the backend's answers for its own."""
_HIGH = "SELECT high_seq, high_hash FROM terminal WHERE number = ?"


def backup_till(town: Town, happening: Happening) -> None:
    """Somebody copies a till's disk."""
    town.disk_copies[happening.place] = town.registers[happening.place].disk.copy()


def restore_till(town: Town, happening: Happening) -> None:
    """The copy is put back; a till that sold goes on selling."""
    register = town.registers[happening.place]
    backup = town.disk_copies.pop(happening.place, None)
    if backup is None or register.gone:
        return
    sold = register.till is not None
    register.put_back(backup)
    town.truth.struck[happening.kind] += 1
    if register.forgot:
        town.declared.journal_restored(register.terminal)
        town.declared.expect("JOURNAL_FORKED", terminal=register.terminal)
    if sold:
        register.open()
        Cashier(town, happening).hand_over(register)


def look_at_round(
    town: Town, happening: Happening, register: Register, report: RoundReport
) -> None:
    """What a report of a till that forgot something must come to; TownError where it does not."""
    if not register.forgot:
        return
    fits = _fits(town, register)
    if report.problem == FOREIGN and not fits:
        _must_be_seen(town, register)
        town.new_till(happening.place)
    elif report.problem == FOREIGN or (report.problem in ANSWERED and not fits):
        raise TownError(
            "TOWN_JOURNAL_BROKEN", law=5, seed=town.seed, happening=happening.id, cents=0,
            subject=f"terminal {register.terminal}",
            what=f"after an older copy its round ends with {report.problem or 'nothing'!r},"
            f" though it {'is' if fits else 'is not'} what the backend has",
        )  # fmt: skip


def _fits(town: Town, register: Register) -> bool:
    """Whether what the backend has of the journal is the journal's beginning, by its last hash."""
    with town.engine.connect() as connection:
        high, digest = connection.exec_driver_sql(_HIGH, (register.terminal,)).one()
    entries = register.entries(high - 1)[:1] if high else []
    return not high or [sha256(one).digest() for one in entries] == [bytes(digest)]


def _must_be_seen(town: Town, register: Register) -> None:
    """Two entries of one number are an alarm as soon as the second one has been sent."""
    since = register.head() - register.goes_on_after
    if since and register.head() - register.acknowledged() <= BATCH_ENTRIES_MAX:
        town.declared.must_have_come("JOURNAL_FORKED", terminal=register.terminal)
