"""Alarms that the town's own truth asks for: who has waited too long, and whose card has forked.

A case that people have not decided within the claim window, and a sale whose end a till has not
told for as long as the offline guard lasts, are told by the night work: no earlier, and not
without it. Two records of one counter that two tills read with the chip's own certificate are
told as soon as both have come.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cardlib.wire.ids import PurseId
from simulator.town.checks.declared import Declared
from simulator.town.checks.journals import SeenJournal, SeenRead
from simulator.town.checks.proofs import ProofWatch
from simulator.town.checks.sql import Sql

OVERDUE, OPEN_LONG, FORKED = "CASE_OVERDUE", "INTENT_OPEN_LONG", "PURSE_FORKED"
_DAY_S = 86_400
WINDOW_S = 15 * _DAY_S
"""The claim window of a town."""
GUARD_S = 20 * _DAY_S
"""After so long without the backend no till sells any more, whatever module it has."""
_OPENED = "SELECT opened_at, purse_id FROM suspense_case WHERE id = ?"
_WAITING = (
    "SELECT 'case ' || c.id FROM suspense_case c WHERE c.state = 'open' AND c.purse_id IS NOT NULL"
    " AND c.opened_at + ? < ? AND NOT EXISTS"
    " (SELECT 1 FROM alarm a WHERE a.code = 'CASE_OVERDUE' AND a.ref = 'case ' || c.id)"
)
_HIGH = "SELECT number, high_seq FROM terminal WHERE state = 'active'"
_RECEIVED = "SELECT received_at FROM entry WHERE terminal = ? AND seq = ?"
_TOLD = "SELECT 1 FROM alarm WHERE code = ? AND ref = ?"
_FORK = (
    "SELECT 1 FROM alarm a JOIN purse p ON p.id = a.purse_id JOIN municipality m"
    " ON m.id = p.municipality_id WHERE a.code = 'PURSE_FORKED' AND m.issuer = ? AND p.number = ?"
)
_CAME = "SELECT 1 FROM terminal WHERE number = ? AND high_seq >= ?"


@dataclass(frozen=True, slots=True)
class Missing:
    """An alarm that should stand."""

    code: str
    subject: str


@dataclass(slots=True)
class AlarmRules:
    """What has to be told, from journals and cases; ``proofs`` tells whose certificate it is.

    Of one backend: a copy that was put back has done no night work before that.
    """

    declared: Declared
    journals: Mapping[int, SeenJournal]
    proofs: ProofWatch
    _night_s: int = field(init=False)
    _read: dict[int, int] = field(default_factory=dict)
    """How many of a terminal's reads were looked at."""
    _first: dict[tuple[PurseId, int], tuple[int, SeenRead]] = field(default_factory=dict)
    _forks: list[tuple[PurseId, tuple[tuple[int, SeenRead], ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._night_s = self.declared.night_s

    def explains(self, sql: Sql, code: str, ref: str, raised_s: int) -> bool:
        """Whether somebody has truly waited that long."""
        subject = ref.partition(" ")[2]
        if code == OVERDUE:
            opened = sql.ask(_OPENED, int(subject))
            return any(at + (WINDOW_S if purse else 0) < raised_s for at, purse in opened)
        if code != OPEN_LONG:
            return False
        terminal, _, seq = subject.partition(":")
        return self._is_open_long(sql, int(terminal), int(seq), raised_s)

    def missing(self, sql: Sql) -> Iterator[Missing]:
        """What should stand by now, and does not."""
        if self.declared.night_s != self._night_s:
            self._night_s = self.declared.night_s
            for (ref,) in sql.ask(_WAITING, WINDOW_S, self._night_s):
                yield Missing(OVERDUE, ref)
            yield from self._open_long(sql)
        yield from self._forked(sql)

    # waiting ----------------------------------------------------------------------------------

    def _open_long(self, sql: Sql) -> Iterator[Missing]:
        for terminal, high in sql.ask(_HIGH):
            journal = self.journals.get(terminal)
            if journal is None or terminal in self._doubtful():
                continue
            newest = next((seq for seq in reversed(journal.intents) if seq <= high), 0)
            ref = f"intent {terminal}:{newest}"
            if (
                newest
                and self._is_open_long(sql, terminal, newest, self._night_s)
                and not sql.ask(_TOLD, OPEN_LONG, ref)
            ):
                yield Missing(OPEN_LONG, ref)

    def _is_open_long(self, sql: Sql, terminal: int, seq: int, at_s: int) -> bool:
        journal = self.journals.get(terminal)
        intent = journal.intents.get(seq) if journal else None
        told = intent is not None and intent.closed_by
        if told and any(at < at_s for (at,) in sql.ask(_RECEIVED, terminal, told)):
            return False
        return any(at + GUARD_S < at_s for (at,) in sql.ask(_RECEIVED, terminal, seq))

    # forks ------------------------------------------------------------------------------------

    def _forked(self, sql: Sql) -> Iterator[Missing]:
        for terminal, journal in self.journals.items():
            known = self._read.get(terminal, 0)
            if known < len(journal.reads) and terminal not in self._doubtful():
                for read in journal.reads[known:]:
                    self._learn(terminal, read)
                self._read[terminal] = len(journal.reads)
        for fork in list(self._forks):
            purse, branches = fork
            if all(sql.ask(_CAME, terminal, read.seq) for terminal, read in branches):
                self._forks.remove(fork)
                if not sql.ask(_FORK, purse.issuer, purse.number):
                    yield Missing(FORKED, str(purse))

    def _learn(self, terminal: int, read: SeenRead) -> None:
        """A certified record; another one of its counter is a fork, whoever wrote it."""
        if read.ctr is None:
            return
        purse = PurseId(read.core[9:12], read.core[1:9])
        other, first = self._first.setdefault((purse, read.ctr), (terminal, read))
        if first.record != read.record and all(
            self.proofs.is_genuine(one.core, one.index, one.record, one.random, one.tc)
            for one in (first, read)
        ):
            self._forks.append((purse, ((other, first), (terminal, read))))

    def _doubtful(self) -> set[int]:
        return self.declared.rogue_terminals | self.declared.restored_journals
