"""Defects in the till's journal, and in what it says: laws 5, 8 and 10."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cardlib.errors import PresenceError
from terminal.errors import SaleRefusedError
from terminal.journal import journal as journal_module
from terminal.journal.journal import Journal
from terminal.journal.views import Head
from terminal.sale import offer
from terminal.sale.session import SaleSession
from terminal.till import Till
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]
HOLDER = "MARIA ROSSI"


# law 5: the journal -------------------------------------------------------------------------


def _not_synced(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        database = real(*arguments)
        database.connection.pragma("synchronous", 0)
        note()
        return database

    return defective


def _chain_begins_anew(real: Any, note: Note) -> Any:
    def defective(self: Journal, body: Any, head: Head, batch: int) -> Any:
        known = self.views.clock_reference()
        if known is not None and known.boot_id != self._author.clock.boot_id:
            note()
            head = Head(head.seq, self._author.certificate_hash)
        return real(self, body, head, batch)

    return defective


JOURNAL = (
    Defect(
        name="not-synced", law=5,
        does="the journal tells the disk nothing: a commit waits in its cache",
        sites=(Site(journal_module, "connect", _not_synced),),
    ),
    Defect(
        name="chain-begins-anew", law=5,
        does="after a restart of the machine the first entry names the certificate",
        sites=(Site(Journal, "_sign", _chain_begins_anew),),
    ),
)  # fmt: skip


# law 8: names -------------------------------------------------------------------------------


def _cashier_named(real: Any, note: Note) -> Any:
    def defective(self: Till) -> Any:
        note()
        return replace(real(self), cashier=HOLDER)

    return defective


NAMES = (
    Defect(
        name="cashier-named", law=8,
        does="entries carry a name where the cashier's number belongs",
        sites=(Site(Till, "circumstances", _cashier_named),),
    ),
)  # fmt: skip


# law 10: refusals ---------------------------------------------------------------------------


def _reason_wordless(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> str:
        real(*arguments)
        note()
        return "REASON_7"

    return defective


def _trouble_wordless(real: Any, note: Note) -> Any:
    def defective(self: SaleSession) -> Any:
        try:
            return real(self)
        except PresenceError as error:
            note()
            raise SaleRefusedError(f"E_{type(error).__name__.upper()}") from error

    return defective


WORDS = (
    Defect(
        name="reason-wordless", law=10,
        does="what vouchers do not pay is refused with a code that has no sentence",
        sites=(Site(offer, "_reason", _reason_wordless),),
    ),
    Defect(
        name="trouble-wordless", law=10,
        does="that a card has gone is told by the name of a class",
        sites=(Site(SaleSession, "read", _trouble_wordless),),
    ),
)  # fmt: skip

TILLS = (*JOURNAL, *NAMES, *WORDS)
