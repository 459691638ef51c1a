"""Alarms: each is explained by what the world declares, and what is declared comes in time."""

from dataclasses import dataclass, field

from cardlib.wire.ids import PurseId
from simulator.town.checks.alarm_rules import AlarmRules
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.sql import Row, Sql

NEW_ALARMS = (
    "SELECT a.id, a.code, a.ref, a.terminal, m.issuer, p.number FROM alarm a"
    " LEFT JOIN purse p ON p.id = a.purse_id LEFT JOIN municipality m ON m.id = p.municipality_id"
    " WHERE a.id > ? ORDER BY a.id"
)
"""After a number: number, code, what it is about, terminal, issuer and purse."""
_WITH_TIME = NEW_ALARMS.replace("SELECT a.id,", "SELECT a.raised_at, a.id,")


@dataclass(slots=True)
class AlarmWatch:
    """Every alarm. ``explained``, ``false`` and ``missed`` count codes.

    ``strict``: a false or missed alarm is a TownError; otherwise it is only counted.
    """

    declared: Declared
    strict: bool = True
    rules: AlarmRules | None = None
    """What the town itself knows must come; of the books that are read now."""
    last: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    _judged: set[Row] = field(default_factory=set)

    def begin_anew(self, rules: AlarmRules) -> None:
        """Other books: what stands in them as it stood before was judged in its time."""
        self.rules, self.last = rules, 0

    def check(self, sql: Sql) -> None:
        """New alarms."""
        for row in sql.ask(_WITH_TIME, self.last):
            raised, self.last, code, ref, terminal, issuer, purse = row
            if row not in self._judged:
                self._judged.add(row)
                about = PurseId(bytes(issuer), bytes(purse)) if purse is not None else None
                waited = self.rules is not None and self.rules.explains(sql, code, ref, raised)
                self._judge(code, ref, about, terminal, waited=waited)

    def check_due(self, sql: Sql) -> None:
        """What has to have come by now; TownError ``TOWN_ALARM_MISSED``."""
        for missing in self.rules.missing(sql) if self.rules else ():
            self._miss(missing.code, missing.subject)
        due, self.declared.due = self.declared.due, []
        for alarm in due:
            if not alarm.came:
                self._miss(alarm.code, alarm.purse or f"terminal {alarm.terminal}")

    def _miss(self, code: str, subject: object) -> None:
        self.missed[code] = self.missed.get(code, 0) + 1
        if self.strict:
            raise breach("TOWN_ALARM_MISSED", 0, subject, code)

    def _judge(
        self, code: str, ref: str, purse: PurseId | None, terminal: int | None, *, waited: bool
    ) -> None:
        if waited:
            self.explained[code] = self.explained.get(code, 0) + 1
            return
        for alarm in self.declared.expected:
            if alarm.explains(code, purse, terminal):
                alarm.came += 1
                self.explained[code] = self.explained.get(code, 0) + 1
                return
        self.false[code] = self.false.get(code, 0) + 1
        if self.strict:
            raise breach("TOWN_ALARM_FALSE", 0, ref, code)
