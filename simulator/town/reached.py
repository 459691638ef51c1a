"""Which ways of the product's tables a run has gone, how often, and which it has not.

::

    with watching() as reached:
        World(plan).play()
    reached.unreached()                    # table → ways that nobody went
    total = Reached(); total.add(reached)  # over many seeds

The sale's moves and the rows of recovery are told by the till itself; the backend's states by
SQLAlchemy's own events when a row is made or its state is set, committed or not. A way is
``old>new``, ``>new`` for a new row.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import InstrumentedAttribute

from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.tables.journals import EntryRow, IntentRow, QuarantineRow
from backend.adapters.tables.ledger import TransferRow
from backend.adapters.tables.programmes import AwardRow
from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.adapters.tables.settlement import BatchLineRow, PaymentRow, SettlementBatchRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.tables.verdicts import CaseRow, PostingRow
from backend.domain.ledger import TransferKind
from backend.services.verdicts.claim_rules import Reason
from cardlib.wire.entry_header import EntryType
from simulator.town.unreached import why
from terminal.recovery import table as recovery
from terminal.recovery import told as told_outcomes
from terminal.sale import states

Ways = Mapping[str, tuple[str, ...]]
STEPS = {"personalise": 21, "load": 5, "void": 3, "pin": 3, "renew": 20}
"""Steps of a card session of each purpose that nothing disturbs; more wallets take more."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TABLES: Ways = {
    "sale": tuple(
        f"{state}>{then} by {cause}" for (state, cause), then in states.TRANSITIONS.items()
    ),
    "recovery": recovery.ROW_NAMES,
    "told": _words("TOLD_COMMITTED TOLD_NOT_APPLIED"),
    "award": _words(">approved approved>withdrawn"),
    "purse": _words(">active active>blocked blocked>active blocked>replaced"),
    "terminal": _words(">active active>lost active>closed"),
    "case": _words(">open open>closed closed>open"),
    "order": _words(
        ">approved approved>loading approved>void loading>on_card loading>void void>on_card"
        " on_card>superseded_on_card superseded_on_card>on_card"
    ),
    "grant": _words(
        ">loading loading>on_card loading>superseded loading>void void>loading on_card>superseded"
    ),
    "session": _words(">active active>done active>failed active>expired"),
    "session_step": tuple(
        f"{purpose} {step}" for purpose, steps in STEPS.items() for step in range(1, steps + 1)
    ),
    "session_outcome": _words(
        "PURSE_MADE LOAD_DONE LOAD_AGAIN LOAD_TIDIED LOAD_NOTHING_WAITING LOAD_VOIDED PIN_RESET"
        " KEY_SET_CHANGED"
    ),
    "entry": tuple(f"{kind.name.lower()} accepted" for kind in EntryType),
    "intent": _words(
        ">open >committed >not_applied >unresolved open>committed open>not_applied"
        " open>unresolved unresolved>committed unresolved>not_applied"
    ),
    "posting": _words(
        ">proven >unproven >contradicted unproven>proven unproven>contradicted"
        " contradicted>unproven contradicted>proven"
    ),
    "posting_reason": tuple(reason.value for reason in Reason if reason),
    "transfer": tuple(kind.value for kind in TransferKind),
    "batch": _words(
        ">created created>sent created>approved created>failed sent>under_review sent>approved"
        " sent>failed under_review>approved under_review>failed approved>in_payment"
        " approved>failed in_payment>paid in_payment>failed"
    ),
    "line": _words(
        ">included >postponed included>suspended included>rejected included>postponed"
    ),
    "payment": _words(
        ">created created>sent created>failed sent>paid sent>failed"
    ),
}  # fmt: skip
"""Every way that there is, by table; others that were gone are counted beside them."""
_Listening = tuple[object, str, Callable[..., None]]
"""What is listened to, which event, and who listens."""


@dataclass(slots=True)
class Reached:
    """Counts of ways, by (table, way)."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, table: str, way: str) -> None:
        """Somebody went it."""
        self.counts[table, way] += 1

    def add(self, other: "Reached") -> None:
        """Another run's counts on top."""
        self.counts.update(other.counts)

    def of(self, table: str) -> dict[str, int]:
        """Ways of one table with their counts, the table's own first; 0 for those not gone."""
        known = {way: self.counts[table, way] for way in TABLES.get(table, ())}
        others = {way: count for (name, way), count in self.counts.items() if name == table}
        return known | dict(sorted(others.items()))

    def unreached(self) -> dict[str, list[str]]:
        """By table, the ways that nobody went; tables gone through wholly are left out."""
        missing = {
            table: [way for way in ways if not self.counts[table, way]]
            for table, ways in TABLES.items()
        }
        return {table: ways for table, ways in missing.items() if ways}

    def as_json(self) -> dict[str, dict[str, int]]:
        """By table and way; :meth:`from_json` reads it."""
        return {table: self.of(table) for table in TABLES}

    @classmethod
    def from_json(cls, tables: Mapping[str, Mapping[str, int]]) -> "Reached":
        """What :meth:`as_json` wrote."""
        reached = cls()
        for table, ways in tables.items():
            reached.counts.update({(table, way): count for way, count in ways.items() if count})
        return reached

    def lines(self) -> list[str]:
        """For people: one line a table, then what was not reached."""
        missing = self.unreached()
        told = []
        for table, ways in TABLES.items():
            gone = len(ways) - len(missing.get(table, ()))
            told.append(f"{table}: {gone} of {len(ways)}")
            told += [
                f"  not reached: {way}{_because(table, way)}" for way in missing.get(table, ())
            ]
        return told


def _because(table: str, way: str) -> str:
    reason = why(table, way, "en")
    return f" ({reason})" if reason else ""


_STATES: tuple[tuple[str, InstrumentedAttribute[Any], str], ...] = (
    ("award", AwardRow.state, "approved"),
    ("purse", PurseRow.state, "active"),
    ("terminal", TerminalRow.state, "active"),
    ("case", CaseRow.state, "open"),
    ("order", LoadOrderRow.state, "approved"),
    ("grant", CardGrantRow.state, "loading"),
    ("session", CardSessionRow.state, "active"),
    ("intent", IntentRow.state, "open"),
    ("posting", PostingRow.state, ""),
    ("batch", SettlementBatchRow.state, "created"),
    ("line", BatchLineRow.state, "included"),
    ("payment", PaymentRow.state, "created"),
)
"""Table, column, and what a new row says that sets nothing."""


@contextmanager
def watching() -> Generator[Reached]:
    """Counts everything that this process does inside the block."""
    reached = Reached()
    listeners: list[tuple[object, str, Callable[..., None]]] = []
    for table, column, first in _STATES:
        listeners.append((column, "set", _on_set(reached, table)))
        listeners.append((column.class_, "before_insert", _on_insert(reached, table, first)))
    listeners += _further(reached)
    for target, name, listener in listeners:
        event.listen(target, name, listener)
    moved, concluded = _sale(reached), _coded(reached, "recovery")
    taken_up = _coded(reached, "told")
    states.OBSERVERS.append(moved)
    recovery.OBSERVERS.append(concluded)
    told_outcomes.OBSERVERS.append(taken_up)
    try:
        yield reached
    finally:
        states.OBSERVERS.remove(moved)
        recovery.OBSERVERS.remove(concluded)
        told_outcomes.OBSERVERS.remove(taken_up)
        for target, name, listener in listeners:
            event.remove(target, name, listener)


def _sale(reached: Reached) -> Callable[[states.State, states.Event], None]:
    def moved(state: states.State, cause: states.Event) -> None:
        reached.note("sale", f"{state}>{states.TRANSITIONS[state, cause]} by {cause}")

    return moved


def _coded(reached: Reached, table: str) -> Callable[[str], None]:
    def concluded(code: str) -> None:
        reached.note(table, code)

    return concluded


def _on_set(reached: Reached, table: str) -> Callable[..., None]:
    def changed(_row: object, new: object, old: object, _initiator: object) -> None:
        if isinstance(old, str) and old != new:
            reached.note(table, f"{old}>{new}")

    return changed


def _on_insert(reached: Reached, table: str, first: str) -> Callable[..., None]:
    def inserted(_mapper: object, _connection: object, row: Any) -> None:
        reached.note(table, f">{row.state or first}")

    return inserted


def _further(reached: Reached) -> list[_Listening]:
    """New rows whose kind is told by more than a state."""
    return [*_of_books(reached), *_of_sessions(reached)]


def _of_books(reached: Reached) -> list[_Listening]:
    """Entries, transfers, and why a posting is not proven."""

    def entry(_mapper: object, _connection: object, row: EntryRow) -> None:
        known = row.type in set(EntryType)
        name = EntryType(row.type).name.lower() if known else str(row.type)
        reached.note("entry", f"{name} {row.verdict} {row.reason}".rstrip())

    def kept(_mapper: object, _connection: object, row: QuarantineRow) -> None:
        reached.note("entry", f"quarantined {row.reason}")

    def booked(_mapper: object, _connection: object, row: TransferRow) -> None:
        reached.note("transfer", str(row.kind))

    def excused(_row: object, new: object, old: object, _initiator: object) -> None:
        if new and new != old:
            reached.note("posting_reason", str(new))

    return [
        (EntryRow, "before_insert", entry),
        (QuarantineRow, "before_insert", kept),
        (TransferRow, "before_insert", booked),
        (PostingRow.reason, "set", excused),
    ]


def _of_sessions(reached: Reached) -> list[_Listening]:
    """Steps and outcomes of card sessions."""

    def stepped(_mapper: object, connection: Any, row: CardSessionStepRow) -> None:
        query = "SELECT purpose FROM card_session WHERE id = ?"
        purpose = connection.exec_driver_sql(query, (row.session_id,)).scalar()
        reached.note("session_step", f"{purpose} {row.step}")

    def ended(_row: object, new: object, old: object, _initiator: object) -> None:
        if new and new != old:
            reached.note("session_outcome", str(new))

    return [
        (CardSessionStepRow, "before_insert", stepped),
        (CardSessionRow.outcome, "set", ended),
    ]
