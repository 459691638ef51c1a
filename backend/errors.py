"""What the backend refuses, split by who can help.

::

    BackendError
    ├── BadInputError        what was sent or typed cannot be meant
    ├── UnknownError         there is no such thing here
    ├── ConflictError        the same id with other content, or a state that forbids it
    ├── NotPermittedError    not by you, or not without a second person
    ├── NotGenuineError      a request, code or key that cannot be trusted
    ├── ClockOffError        the sender's clock is too far from ours
    ├── KeyStoreError        a key that is needed is not in the key store
    ├── DatabaseError        the database cannot do it now: nothing is lost, ask again
    └── LedgerError          books that would not balance: our own bug, never input

Every error has a stable ``code`` (a key of the text catalogue) and ``facts``,
the values its sentence needs. None of them knows HTTP.
"""

from cardlib.errors import CodedError


class BackendError(CodedError):
    """Root of the tree."""

    default_code = "BACKEND_PROBLEM"


class BadInputError(BackendError):
    """What was sent or typed cannot be meant."""

    default_code = "INPUT_BAD"


class UnknownError(BackendError):
    """There is no such thing here; fact ``what`` names it."""

    default_code = "NOT_FOUND"


class ConflictError(BackendError):
    """The same id with other content, or a state that forbids it."""

    default_code = "CONFLICT"


class NotPermittedError(BackendError):
    """Not by this person or terminal, or not without a second person."""

    default_code = "NOT_PERMITTED"


class NotGenuineError(BackendError):
    """A request, code or key that cannot be trusted."""

    default_code = "REQUEST_NOT_GENUINE"


class ClockOffError(BackendError):
    """The sender's clock is too far from ours; fact ``server_time`` is ours, Unix seconds."""

    default_code = "CLOCK_OFF"


class KeyStoreError(BackendError):
    """A key that is needed is not in the key store."""

    default_code = "KEY_MISSING"


class DatabaseError(BackendError):
    """The database cannot do it now; fact ``why`` is what it says itself.

    What was begun is rolled back, or, when the connection broke during a commit, it is done:
    whoever asks the same again finds out.
    """

    default_code = "DATABASE_LOST"


class LedgerError(BackendError):
    """Books that would not balance. Our own bug, never the fault of input."""

    default_code = "LEDGER_OUT_OF_BALANCE"
