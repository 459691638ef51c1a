"""What proves a sale, as far as an export shows it (PROTOCOL 6).

A record is *attested* when a signed entry holds it with a tc, or the backend says
that a card session read it. A sale is proven when its record is attested, or when
an attested record of another merchant's terminal lies above it, each one written
over the one before.
"""

from backend.verifier.purses.histories import Posting
from backend.verifier.workbook import Workbook

_ATTESTED = """
SELECT EXISTS (SELECT 1 FROM read_with_tc WHERE record_hash = ?1)
    OR EXISTS (SELECT 1 FROM attested WHERE record_hash = ?1)
"""
_ABOVE = """
SELECT merchant, record_hash FROM posting WHERE prior_hash = ?1
UNION SELECT intent.merchant, attested.record_hash
FROM intent JOIN attested ON attested.intent = intent.short WHERE intent.prior_hash = ?1
"""


class Proofs:
    """Answers from the workbook, after all journals and attestations were read."""

    def __init__(self, book: Workbook) -> None:
        self._book = book

    def prove(self, posting: Posting) -> bool:
        """Whether anything in the export proves the posting's record."""
        digest, merchant = posting.record_hash, posting.merchant
        return self._is_attested(digest) or self.is_written_over(digest, merchant)

    def _is_attested(self, record_hash: bytes) -> bool:
        return bool(self._book.ask(_ATTESTED, (record_hash,))[0][0])

    def is_written_over(self, record_hash: bytes, own: str) -> bool:
        """Directly by another merchant than ``own``, and above that by one whose is attested."""
        seen = {record_hash}
        reached = [
            (merchant, above)
            for merchant, above in self._book.ask(_ABOVE, (record_hash,))
            if merchant != own
        ]
        while reached:
            merchant, above = reached.pop()
            if merchant != own and self._is_attested(above):
                return True
            if above not in seen:
                seen.add(above)
                reached += self._book.ask(_ABOVE, (above,))
        return False
