"""Why a posting may be off its purse's live chain, as far as an export shows it."""

from backend.verifier.decoder import entries
from backend.verifier.purses.histories import Posting
from backend.verifier.workbook import Workbook

_SAME = "SELECT 1 FROM posting WHERE record_hash = ? AND live AND (terminal, seq) != (?, ?)"
_BESIDE = """
SELECT max(live), max(state = 'proven') FROM (
    SELECT live, state FROM posting
    WHERE issuer = ?2 AND purse = ?3 AND ctr = ?4 AND record_hash != ?1
    UNION ALL SELECT 1, 'proven' FROM attested
    WHERE issuer = ?2 AND purse = ?3 AND ctr = ?4 AND record_hash != ?1)
"""
_OVER_ANOTHER = """
SELECT 1 FROM posting WHERE issuer = ?2 AND purse = ?3 AND ctr = ?4 + 1 AND live
    AND state = 'proven' AND prior_hash != ?1
"""
_SALE_BELOW = "SELECT 1 FROM posting WHERE record_hash = ? AND live"


class Rivals:
    """Answers from the workbook, after all journals and attestations were read."""

    def __init__(self, book: Workbook) -> None:
        self._book = book

    def is_forked(self, posting: Posting) -> bool:
        """Whether another record with the posting's counter was proven."""
        return bool(self._book.ask(_BESIDE, _place(posting))[0][1])

    def may_be_dead(self, posting: Posting) -> bool:
        """Whether something shown keeps the posting from being live.

        Its record is posted already (state ``none``); another record has its place; the
        proven record above was written over another; it voids a sale that is not live.
        """
        if posting.state == "none":
            values = (posting.record_hash, posting.terminal, posting.seq)
            return bool(self._book.ask(_SAME, values))
        is_void = posting.intent.kind == entries.RECORD_VOID
        return (
            bool(self._book.ask(_BESIDE, _place(posting))[0][0])
            or bool(self._book.ask(_OVER_ANOTHER, _place(posting)))
            or (is_void and not self._book.ask(_SALE_BELOW, (posting.prior_hash,)))
        )


def _place(posting: Posting) -> tuple[bytes, bytes, bytes, int]:
    return posting.record_hash, *posting.purse, posting.ctr
