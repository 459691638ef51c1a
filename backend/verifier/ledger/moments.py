"""Times of transfers, as far as documents prove them.

When a sale happened, its signed intent says; when it was booked, the server's clock alone.
"""

from backend.verifier.findings import Findings, Law, Place
from backend.verifier.workbook import Workbook

CLOCK_SLACK_S = 900
"""So much two servers' clocks may differ."""


class MomentAudit:
    """Compares times after every posting was judged."""

    def __init__(self, book: Workbook, findings: Findings) -> None:
        self._book = book
        self._findings = findings

    def check(self) -> None:
        """Transfers of a sale carry its time; booking times do not run backwards."""
        for number, line, document in self._book.ask(
            "SELECT transfer.id, transfer.line, ref_id FROM worth JOIN transfer"
            " ON ref_kind = 'entry' AND ref_id = worth.terminal || ':' || worth.seq"
            " WHERE event_time != worth.time ORDER BY transfer.id"
        ):
            place = Place("transfers.jsonl", line, document=f"transfer {number}")
            self._findings.add(
                Law.CONSERVATION, "TRANSFER_OTHER_TIME", place, transfer=number, entry=document
            )
        back = self._book.ask(
            "SELECT count(*) FROM transfer AS earlier JOIN transfer AS later"
            " ON later.id = earlier.id + 1 WHERE later.booked_at < earlier.booked_at - ?",
            (CLOCK_SLACK_S,),
        )[0][0]
        if back:
            self._findings.trust("BOOKED_BACKWARDS", back)
