"""What a wallet gave up since its grant: expired for good, or moved to another card."""

from backend.verifier.grants.grants import Grant, Grants
from backend.verifier.ledger.ledger import Ledger
from backend.verifier.workbook import Workbook


class GivenUp:
    """``left`` and ``over`` of PROTOCOL 7, from transfers; ``over`` once sales were judged."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook) -> None:
        self._grants = grants
        self._ledger = ledger
        self._book = book

    def since(self, grant: Grant) -> int:
        """The transfer that put the wallet's money on the card; a grant of 0 cents has none."""
        found: Grant | None = grant
        while found is not None:
            number = self._ledger.confirmed_at(found.order)
            if number:
                return number
            found = self._grants.before(found)
        return 0

    def left(self, grant: Grant, until: int | None = None) -> int:
        """Cents given up since ``grant``, up to transfer ``until``.

        Of what earlier grants had given up, what is not gone with them counts on: what the
        card had spent of it, unposted, when this one was signed, and what this one carries.
        """
        since = self.since(grant)
        gone = self._ledger.left(grant.purse, grant.slot, grant.seq, since, until)
        before = self._grants.before(grant)
        if before is None or not before.confirmed:
            return gone
        earlier = self.left(before, since)
        if not earlier:
            return gone
        order = self._grants.orders.get(grant.order)
        rest = before.granted - grant.base_spent - (order.carried if order is not None else 0)
        return gone + max(0, earlier - self._over(before, since) - max(0, rest))

    def at_signing(self, before: Grant, grant: Grant) -> list[int]:
        """What the wallet of ``before`` had given up when ``grant`` was signed.

        A grant of 0 cents moves nothing that would say when that was: what it may have been.
        """
        signed = self._ledger.signed_at(grant.order)
        if signed is not None:
            return [self.left(before, signed)]
        since = self.since(before)
        moves = self._ledger.given_up(grant.purse, grant.slot, since, self._next_signed(grant))
        return [self.left(before, until) for until in (since, *moves)]

    def _next_signed(self, grant: Grant) -> int:
        """The transfer by which a later grant of the wallet was signed; the last one of all."""
        later = (
            self._ledger.signed_at(other.order)
            for other in self._grants.of_slot(grant.purse, grant.slot)
            if other.seq > grant.seq and other.counts
        )
        return min((number for number in later if number), default=self._ledger.transfers)

    def _over(self, grant: Grant, until: int) -> int:
        """What exposure lent to the wallet between the grant and transfer ``until``."""
        found = self._book.ask(
            "SELECT coalesce(sum(lacked), 0) FROM claimed"
            " WHERE issuer = ? AND purse = ? AND slot = ? AND by > ? AND by <= ?",
            (*grant.purse, grant.slot, self.since(grant), until),
        )
        return int(found[0][0])
