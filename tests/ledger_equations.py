"""The equations of PROTOCOL 7, as whoever reads the books checks them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.domain.ledger import Account, Pot


def check_programmes(balances: Mapping[Account, int]) -> None:
    """Each pot holds what was funded, and no account is overdrawn.

    ``funded = fund + committed + loading + on_card + expired_pending + expired + blocked
    + payable + in_payment + paid + suspense + refund_due − exposure − loss``
    """
    pots: dict[Pot, int] = {}
    for account, cents in balances.items():
        assert cents >= 0 or account.may_be_negative, f"{account.code} is overdrawn: {cents}"
        pots[account.pot] = pots.get(account.pot, 0) + cents
    assert not any(pots.values()), f"not what was funded: {pots}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBooks:
    """What is known of one slot of a purse, in cents.

    ``granted`` is granted_total of the newest confirmed grant, ``posted`` the live
    postings net of voids; ``left`` and ``over`` are memos since that grant.
    """

    granted: int
    posted: int
    on_card: int = 0
    expired_pending: int = 0
    blocked: int = 0
    left: int = 0
    over: int = 0

    @property
    def difference(self) -> int:
        """Zero: ``G = S_posted + on_card + expired_pending + blocked + left − over``."""
        present = self.on_card + self.expired_pending + self.blocked
        return self.granted - (self.posted + present + self.left - self.over)
