"""Errors to HTTP statuses: the one place where the two meet."""

from backend import errors
from cardlib import errors as card_errors

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (errors.BadInputError, 400),
    (errors.ClockOffError, 401),
    (errors.NotGenuineError, 401),
    (errors.NotPermittedError, 403),
    (errors.UnknownError, 404),
    (errors.ConflictError, 409),
    (errors.DatabaseError, 503),
    (card_errors.AuthenticityError, 401),
    (card_errors.MalformedError, 400),
    (card_errors.PurseRefusedError, 409),
)


def status_of(error: Exception) -> int:
    """The status of ``error``; 500 for what is our own fault."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    return 500
