"""Alarms: things that a person should look at; one a code and subject."""

import json

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import AlarmRow
from backend.adapters.unit_of_work import Unit


def raise_alarm(
    unit: Unit, code: str, ref: str, now: int, *,
    purse: PurseRow | None = None, terminal: int | None = None, **facts: str | int,
) -> None:  # fmt: skip
    """Raises the alarm unless the same one about ``ref`` stands already."""
    if unit.verdicts.find_alarm(code, ref) is None:
        unit.add(
            AlarmRow(
                code=code, ref=ref, purse_id=purse.id if purse else None, terminal=terminal,
                facts=json.dumps(facts, sort_keys=True), raised_at=now,
            )
        )  # fmt: skip


def hotlist(purse: PurseRow, code: str, now: int) -> None:
    """Tills refuse the purse from their next bundle on."""
    if purse.hotlisted_at is None:
        purse.hotlisted_at, purse.hotlist_code = now, code
