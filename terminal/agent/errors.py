"""What can go wrong between the till and the backend; none of it means that a sale is lost.

::

    SyncError
    ├── UnreachableError    no answer, or not a whole one: try again later
    ├── RefusedError        a signed refusal, or an overloaded service's request to wait
    ├── NotBelievedError    an answer that nobody we trust has signed, or not for this request
    └── EnrolmentError      keys, code or operator are not the ones that were meant
"""

from typing import ClassVar

from terminal.errors import TerminalError


class SyncError(TerminalError):
    """Root of the tree."""

    default_code: ClassVar[str] = "SYNC_PROBLEM"


class UnreachableError(SyncError):
    """No answer, or not a whole one: whatever was sent may or may not have arrived."""

    default_code = "SERVICE_UNREACHABLE"


class RefusedError(SyncError):
    """The service said no, with ``code`` as its reason.

    ``server_time`` is its signed Unix time, 0 when unsigned; ``retry_after_s`` how long it
    asks to wait, 0 when it does not say.
    """

    default_code = "SERVICE_REFUSED"

    def __init__(
        self, code: str, status: int, *, server_time: int = 0, retry_after_s: int = 0
    ) -> None:
        super().__init__(code, status=status)
        self.status = status
        self.server_time = server_time
        self.retry_after_s = retry_after_s


class NotBelievedError(SyncError):
    """The answer is not genuine, or belongs to another request."""

    default_code = "ANSWER_NOT_SIGNED"


class EnrolmentError(SyncError):
    """Keys, code or operator are not the ones that were meant."""

    default_code = "ENROLMENT_PROBLEM"
