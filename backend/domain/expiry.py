"""When a wallet expires, and when what is left on it is given up (PROTOCOL 7). Pure.

A grant's last day counts until its midnight in Europe/Rome. From then on late sales may
still come in, until every terminal has told of that time and the claim window is over.
"""

from dataclasses import dataclass
from datetime import timedelta

from backend.domain.marks import Mark
from cardlib.calendar import day_at, day_end
from cardlib.codec.purse import day_date, day_number


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """``window_days``: calendar days that late sales may come in after the last one."""

    window_days: int

    def last_day_over(self, now: int) -> int:
        """The newest day number whose claim window is over at ``now`` (Unix seconds)."""
        return day_number(day_at(now) - timedelta(days=1 + self.window_days))

    def is_final(self, valid_to: int, mark: Mark, now: int) -> bool:
        """Whether nothing of a wallet with last day ``valid_to`` can come in any more."""
        return valid_to <= self.last_day_over(now) and mark.passed(expired_from(valid_to))


def expired_from(valid_to: int) -> int:
    """Unix seconds of the midnight that ends day number ``valid_to``."""
    return day_end(day_date(valid_to))


def today(now: int) -> int:
    """The day number at ``now`` (Unix seconds)."""
    return day_number(day_at(now))
