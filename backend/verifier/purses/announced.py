"""Records that no card attested and no closing entry claims: the next till wrote them over.

That till's signed intent holds the record that it read (key 33), and the clear part of a
record names the intent that it was made from. So a till that could not tell what became of
its own intent is told by its neighbour.
"""

from dataclasses import dataclass

from backend.verifier.decoder import entries
from backend.verifier.decoder.entries import Intent
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

_HASH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Announced:
    """A record as its own intent announced it; ``left_open``: its till signed ``unresolved``."""

    digest: bytes
    short: bytes
    intent: Intent
    merchant: str
    left_open: bool


def announced_as(book: Workbook, record: bytes) -> Announced | None:
    """The intent that ``record`` was made from; None when none was, or its till told its end."""
    short = entries.record_intent(record)
    for digest, complete, merchant in book.ask(
        "SELECT hash, bytes, merchant FROM intent WHERE short = ?", (short,)
    ):
        intent = entries.intent_of(entries.read(complete))
        told = book.ask(
            "SELECT 1 FROM posting WHERE issuer = ? AND purse = ? AND ctr = ? AND intent = ?",
            (intent.issuer, intent.purse, intent.ctr, digest),
        )
        if intent.ctr == entries.record_ctr(record) and not told:
            left_open = book.ask(
                "SELECT 1 FROM closed WHERE intent = ? AND type = ?", (digest, entries.UNRESOLVED)
            )
            return Announced(entries.digest(record), short, intent, merchant, bool(left_open))
    return None


def written_over(book: Workbook, purse: PurseKey, ctr: int, start: bytes) -> Announced | None:
    """The record ``ctr`` whose hash begins with ``start``, as its purse's next intent has it."""
    most = start.ljust(_HASH_SIZE, b"\xff")
    for (complete,) in book.ask(
        "SELECT bytes FROM intent WHERE prior_hash BETWEEN ? AND ?", (start, most)
    ):
        above = entries.intent_of(entries.read(complete))
        if ((above.issuer, above.purse), above.ctr) == (purse, ctr + 1):
            return announced_as(book, above.prior)
    return None
