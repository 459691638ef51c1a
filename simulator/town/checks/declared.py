"""What the world declares to the checks: the ground truth that no book holds.

::

    declared.deliveries.append(delivery)                 # goods left the shop, or came back
    declared.expect("PURSE_FORKED", purse=purse)         # this alarm may come from now on
    declared.must_have_come("PURSE_FORKED", purse=purse) # ... and by now it has to be there
    declared.rogue_terminal(number)                      # what this till says proves nothing
    declared.rogue_purse(purse)                          # a clone or a rolled-back card is about
    declared.journal_restored(number)                    # a till runs on an older journal
    declared.backend_restored()                          # the backend runs on an older backup
    declared.acted_at(number)                            # somebody used this till out of turn
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from cardlib.wire.ids import PurseId


class DeliverySeen(Protocol):
    """Goods for a voucher, as the checks need to know of them."""

    @property
    def terminal(self) -> int:
        """The till at which they went over the counter."""
        ...

    @property
    def seq(self) -> int:
        """The number of the intent that paid (or gave back) for them."""
        ...

    @property
    def intent(self) -> bytes:
        """The first eight bytes of that intent's hash."""
        ...

    @property
    def cents(self) -> int:
        """Above zero they went to the customer, below zero they came back."""
        ...


@dataclass(slots=True)
class ExpectedAlarm:
    """An alarm that an incident or an adversary explains; None is any subject."""

    code: str
    purse: PurseId | None = None
    terminal: int | None = None
    came: int = 0
    """How many alarms it has explained."""

    def explains(self, code: str, purse: PurseId | None, terminal: int | None) -> bool:
        """Whether an alarm with these facts is meant."""
        return (
            self.code == code
            and self.purse in {None, purse}
            and self.terminal in {None, terminal}
        )  # fmt: skip


@dataclass(slots=True)
class Declared:
    """One town's ground truth; ``deliveries`` and ``expected`` only grow."""

    deliveries: list[DeliverySeen] = field(default_factory=list)
    expected: list[ExpectedAlarm] = field(default_factory=list)
    rogue_terminals: set[int] = field(default_factory=set)
    rogue_purses: set[PurseId] = field(default_factory=set)
    lost_terminals: set[int] = field(default_factory=set)
    """Tills whose journal can no longer come: nothing of it is waited for at the end."""
    restored_journals: set[int] = field(default_factory=set)
    backend_restores: int = 0
    findings: set[str] = field(default_factory=set)
    """Codes that the independent audit of the export must find at the end, and no others."""
    statements: list[tuple[int, bytes]] = field(default_factory=list)
    """Merchant, and a signed statement that it keeps."""
    names: set[str] = field(default_factory=set)
    """Surnames and codici fiscali of the holders, as they would be written."""
    paid: Counter[str] = field(default_factory=Counter)
    """Cents that the bank paid, by IBAN."""
    refused: Counter[str] = field(default_factory=Counter)
    """Codes with which customers were sent away."""
    troubles: Counter[str] = field(default_factory=Counter)
    """Codes with which rounds of an agent ended."""
    night_s: int = 0
    """When the newest night work of the backend came to its end, by the backend's clock."""
    reported: dict[PurseId, int] = field(default_factory=dict)
    """Purses whose cards the desk knows to be lost, and since when, in ms since 1970."""
    out_of_reach: set[PurseId] = field(default_factory=set)
    """Purses whose cards are lost: nobody can show them."""
    pins_wrong: Counter[PurseId] = field(default_factory=Counter)
    """How often in a row a PIN was refused at a counter, since a right one or a new letter."""
    touched: set[int] = field(default_factory=set)
    """Tills that were used besides the happening's own; the checks take them from here."""

    def expect(
        self, code: str, *, purse: PurseId | None = None, terminal: int | None = None
    ) -> ExpectedAlarm:
        """From now on an alarm ``code`` about this subject is no false one."""
        for known in self.expected:
            if (known.code, known.purse, known.terminal) == (code, purse, terminal):
                return known
        self.expected.append(ExpectedAlarm(code, purse, terminal))
        return self.expected[-1]

    def must_have_come(
        self, code: str, *, purse: PurseId | None = None, terminal: int | None = None
    ) -> None:
        """The stated moment is here: at the end of this happening the alarm has to stand."""
        self.due.append(self.expect(code, purse=purse, terminal=terminal))

    due: list[ExpectedAlarm] = field(default_factory=list)
    """Alarms whose moment has come; the checks take them from here."""

    def rogue_terminal(self, terminal: int) -> None:
        """Nothing that this terminal says or writes is taken for the truth."""
        self.rogue_terminals.add(terminal)

    def rogue_purse(self, purse: PurseId) -> None:
        """More than one chip speaks for this purse, or its chip went back in time."""
        self.rogue_purses.add(purse)

    def terminal_lost(self, terminal: int) -> None:
        """Burnt or stolen: what it had not sent will never come."""
        self.lost_terminals.add(terminal)

    def journal_restored(self, terminal: int) -> None:
        """From now on the till writes on from an older state of its journal."""
        self.restored_journals.add(terminal)

    def acted_at(self, terminal: int) -> None:
        """This till was used during a happening elsewhere."""
        self.touched.add(terminal)

    def backend_restored(self) -> None:
        """From now on the backend stands on an older state of its database."""
        self.backend_restores += 1
