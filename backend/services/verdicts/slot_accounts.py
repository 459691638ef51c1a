"""The accounts that pay what a card shows as spent in a slot."""

from collections.abc import Mapping

from backend.adapters.tables.cards import PurseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Transfer, balances_of
from backend.domain.positions import Place, Source, draw
from backend.services.verdicts.purse_facts import KnownGrant, KnownRecord, PurseFacts, grant_of_line
from backend.services.wallets.accounts import pot_of_order, same_pot


class SlotAccounts:
    """What the slots of one purse hold, and the exposure account for what they lack.

    ``pending``: transfers that are decided but not yet in the ledger.
    """

    def __init__(
        self, unit: Unit, purse: PurseRow, facts: PurseFacts, pending: list[Transfer]
    ) -> None:
        self._pending = pending
        self._unit = unit
        self._purse = purse
        self._facts = facts

    def draw(
        self, slot: int, cents: int, record: KnownRecord, position: Mapping[Place, int]
    ) -> dict[Account, int]:
        """Which accounts pay ``cents``; empty when no pot is known at all for this purse."""
        exposure = self.exposure(slot, record)
        if exposure is None:
            return {}
        drawn: dict[Account, int] = {}
        for (origin, _holder), amount in position.items():
            drawn[origin] = drawn.get(origin, 0) + amount
        sources = self._sources(slot, record)
        return draw(cents, drawn, sources, exposure, cover=self._may_cover(slot, record))

    def exposure(self, slot: int, record: KnownRecord) -> Account | None:
        """The exposure account of the programme that the slot's money is from."""
        grant = self._grant(slot, record) or self._newest_grant(slot)
        if grant is not None:
            return pot_of_order(self._unit.cards.order(grant.row.order_id), AccountKind.EXPOSURE)
        account = self._unit.ledger.first_account(self._purse.municipality_id)
        if account is None:
            return None
        return same_pot(account, AccountKind.EXPOSURE)  # no grant was ever signed: any pot will do

    def _sources(self, slot: int, record: KnownRecord) -> list[Source]:
        pending = balances_of(self._pending)
        grant = self._grant(slot, record)
        programme = self._unit.cards.order(grant.row.order_id).programme_id if grant else None
        return [
            Source(account, balance + pending.get(account, 0))
            for account, balance in self._unit.ledger.present_accounts(self._purse.id, slot)
            if programme in {None, account.programme}
        ]

    def _grant(self, slot: int, record: KnownRecord) -> KnownGrant | None:
        for line in record.lines:
            if line.slot == slot:
                return grant_of_line(self._facts, line)
        return None

    def _newest_grant(self, slot: int) -> KnownGrant | None:
        known = [grant for grant in self._facts.grants.values() if grant.row.slot == slot]
        return known[-1] if known else next(iter(self._facts.grants.values()), None)

    def _may_cover(self, slot: int, record: KnownRecord) -> bool:
        """A confirmed grant pays what was posted, after it was signed, before it was known."""
        for grant in self._facts.grants.values():
            if grant.row.slot == slot and grant.row.state == "on_card":
                return record.row.ctr > grant.terms.base_ctr
        return False
