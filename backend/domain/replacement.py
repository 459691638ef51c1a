"""How much of a blocked card may go onto a new one at once (PROTOCOL 7). Pure.

Tills that have not heard of the block may still sell: what each wallet could spend until
the last of them stops is held back, and follows once every till has told of that time.
"""

from backend.domain.claim_window import DAY_S

CENTS = 100


def reserve(blocked: int, day_limit_eur: int, offline_days_stop: int) -> int:
    """Cents to hold back of ``blocked``; the day of the block and of the stop both count.

    A wallet without a day limit (0) may be emptied on any of these days.
    """
    if not day_limit_eur:
        return blocked
    return min(blocked, day_limit_eur * CENTS * (offline_days_stop + 1))


def all_stopped_at(blocked_at: int, offline_days_stop: int) -> int:
    """Unix seconds from which no till sells that has not heard of the block."""
    return blocked_at + DAY_S * (offline_days_stop + 1)
