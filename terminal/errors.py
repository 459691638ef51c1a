"""What can go wrong at a till, apart from the card itself.

::

    TerminalError
    ├── TillError            the till's directory: missing, not enrolled, unreadable
    ├── JournalError         the journal: in use, full, damaged, wrong key
    ├── SaleRefusedError     this sale cannot be made so: amount, category, limit
    └── UnsettledError       an earlier debit is still unknown and comes first

``code`` and ``facts`` as in ``cardlib.errors``. None of them means that money moved.
"""

from typing import ClassVar

from cardlib.errors import CardlibError


class TerminalError(CardlibError):
    """Root of the tree; every code has a sentence in the catalogue."""

    default_code: ClassVar[str] = "TERMINAL_PROBLEM"


class TillError(TerminalError):
    """The till's directory cannot be used."""

    default_code = "TILL_UNREADABLE"


class JournalError(TerminalError):
    """The journal cannot be opened, read or written."""

    default_code = "JOURNAL_PROBLEM"


class SaleRefusedError(TerminalError):
    """The sale cannot be made as asked; nothing was written and nothing taken."""

    default_code = "SALE_REFUSED"


class UnsettledError(TerminalError):
    """An intent of this journal is open: settle or park it first."""

    default_code = "INTENT_OPEN"
