"""How long the books wait for what is still missing of a sale (PROTOCOL 6). Pure."""

DAY_S = 86_400
"""A day by the clock; days of the calendar are those of ``cardlib.calendar``."""


def window_end(since: int, days: int) -> int:
    """Unix seconds from which nothing more is waited for; ``days`` is the town's window."""
    return since + days * DAY_S
