"""Civil days in Italy: where one ends, in Unix seconds."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ROME = ZoneInfo("Europe/Rome")
_FAR = 1 << 36
"""Later than this no calendar reaches; an export may claim any number."""


def day_of(moment: int) -> date:
    """The day in which an instant lies."""
    return datetime.fromtimestamp(min(moment, _FAR), _ROME).date()


def midnight_after(day: date) -> int:
    """The instant at which ``day`` ends."""
    following = datetime.combine(day + timedelta(days=1), time(), _ROME)
    return int(following.astimezone(UTC).timestamp())
