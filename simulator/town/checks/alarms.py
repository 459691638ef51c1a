"""Alarms: each is explained by what the world declares, and what is declared comes in time."""

from dataclasses import dataclass, field

from cardlib.wire.ids import PurseId
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.sql import Sql

NEW_ALARMS = (
    "SELECT a.id, a.code, a.ref, a.terminal, m.issuer, p.number FROM alarm a"
    " LEFT JOIN purse p ON p.id = a.purse_id LEFT JOIN municipality m ON m.id = p.municipality_id"
    " WHERE a.id > ? ORDER BY a.id"
)
"""After a number: number, code, what it is about, terminal, issuer and purse."""


@dataclass(slots=True)
class AlarmWatch:
    """Every alarm. ``explained``, ``false`` and ``missed`` count codes.

    ``strict``: a false or missed alarm is a TownError; otherwise it is only counted.
    """

    declared: Declared
    strict: bool = True
    last: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)

    def check(self, sql: Sql) -> None:
        """New alarms; then those whose moment has come."""
        for number, code, ref, terminal, issuer, purse in sql.ask(NEW_ALARMS, self.last):
            self.last = number
            about = PurseId(bytes(issuer), bytes(purse)) if purse is not None else None
            self._judge(code, ref, about, terminal)
        self.check_due()

    def check_due(self) -> None:
        """What was declared to have come by now; TownError ``TOWN_ALARM_MISSED``."""
        due, self.declared.due = self.declared.due, []
        for alarm in due:
            if not alarm.came:
                self.missed[alarm.code] = self.missed.get(alarm.code, 0) + 1
                if self.strict:
                    subject = alarm.purse or f"terminal {alarm.terminal}"
                    raise breach("TOWN_ALARM_MISSED", 0, subject, alarm.code)

    def _judge(self, code: str, ref: str, purse: PurseId | None, terminal: int | None) -> None:
        for alarm in self.declared.expected:
            if alarm.explains(code, purse, terminal):
                alarm.came += 1
                self.explained[code] = self.explained.get(code, 0) + 1
                return
        self.false[code] = self.false.get(code, 0) + 1
        if self.strict:
            raise breach("TOWN_ALARM_FALSE", 0, ref, code)
