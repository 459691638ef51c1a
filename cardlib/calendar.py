"""Business days: the date at an instant, in the time zone of the vouchers."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Rome")


def day_at(unix_seconds: int) -> date:
    """The date in Europe/Rome at ``unix_seconds``."""
    return datetime.fromtimestamp(unix_seconds, ZONE).date()


def local_time(unix_seconds: int) -> datetime:
    """The local date and time in Europe/Rome at ``unix_seconds``."""
    return datetime.fromtimestamp(unix_seconds, ZONE)


def day_end(day: date) -> int:
    """Unix seconds of the midnight that ends ``day`` in Europe/Rome."""
    return int(datetime.combine(day + timedelta(days=1), time(), ZONE).astimezone(UTC).timestamp())
