"""``day_spent``: what a purse spent today, as its newest record says (PROTOCOL 2).

Cents in Europe/Rome's day, for the whole purse; FFFF means that much or more.
If the newest record's day is later than today it counts as today.
"""

from cardlib.calendar import day_at
from cardlib.codec.purse import DAY_SPENT_MORE, Spend, day_number


def spent_today(newest: Spend, today: int) -> int:
    """Cents spent on the day number ``today`` before this sale."""
    return newest.day_spent if day_number(day_at(newest.time)) >= today else 0


def after_sale(before: int, cents: int) -> int:
    """``day_spent`` of the new record."""
    return min(before + cents, DAY_SPENT_MORE)


def after_void(before: int, cents: int) -> int:
    """A void on the same day takes it back, not below 0; FFFF stays until the next day."""
    return before if before == DAY_SPENT_MORE else max(0, before - cents)
