"""The town's ledger for these tests: what was ordered, signed and confirmed, per purse and slot.

It is the authority of the real load dialogue: new totals are signed inside the card
session, an order whose outcome is unknown is finished by the next session, byte for byte.
"""

from dataclasses import dataclass, field, replace

from cardlib.channel import Channel
from cardlib.codec.purse import Info
from cardlib.connection import CardConnection
from cardlib.dialogues.load import CardState, GrantWrite, LoadPlan, ReadDown, load, map_of
from cardlib.errors import AuthenticityError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.module import GrantReading
from tests.integration.terminal.stage import FOOD, HYGIENE, Stage, StageCard, WalletSpec

CATEGORY_OF_SLOT = {1: FOOD, 2: HYGIENE}
RECORDS = range(1, 9)


@dataclass
class PurseLedger:
    """One purse in the books. ``granted`` is what is confirmed, ``pending`` what is signed."""

    card: StageCard
    granted: dict[int, int] = field(default_factory=dict)
    signed: dict[int, SignedGrant] = field(default_factory=dict)
    """Every grant ever signed, by its number."""
    pending: SignedGrant | None = None

    def may_be_granted(self, slot: int) -> int:
        """The most that the card can show as granted: cents, confirmed or signed."""
        totals = [item.grant.granted_total for item in self.signed.values()
                  if item.grant.slot == slot]  # fmt: skip
        return max(totals, default=0)


@dataclass
class LoadSession:
    """One session's authority: finishes what waits, else signs ``cents`` more for ``slot``."""

    stage: Stage
    ledger: PurseLedger
    slot: int
    cents: int

    def keys(self, info: Info) -> PurseKeys | None:
        """Only of the purse that this session is about."""
        own = self.ledger.card.info
        return self.ledger.card.keys if info.core == own.core else None

    def decide(self, state: CardState) -> LoadPlan | ReadDown:
        """A free record for the grant, then zeros over what it replaces, then the map."""
        spend = state.newest.spend
        assert spend is not None
        signed = self.ledger.pending or self._sign(spend.spent, spend.ctr)
        live = {item.number: item.signed for item in state.grants if self._genuine(item)}
        held = [number for number, item in live.items() if item == signed]
        number = held[0] if held else min(set(RECORDS) - set(live))
        old = tuple(
            at for at, item in live.items()
            if item is not None and item.grant.slot == signed.grant.slot and at != number
        )  # fmt: skip
        after = ({*live} - {*old}) | {number}
        write = None if held else GrantWrite(number, signed)
        if held:
            self._confirm(signed)
        return LoadPlan(write, old, map_of(tuple(after)))

    def granted(self, write: GrantWrite) -> None:
        """The receipt."""
        self._confirm(write.signed)

    def cleared(self, number: int) -> None:
        """Nothing in these books."""

    def reread(self, grants: tuple[GrantReading, ...]) -> None:
        """Not asked for."""

    def _sign(self, spent: tuple[int, ...], ctr: int) -> SignedGrant:
        ledger = self.ledger
        wallet = WalletSpec(
            slot=self.slot, granted=ledger.granted.get(self.slot, 0) + self.cents,
            categories=(CATEGORY_OF_SLOT[self.slot],), grant_seq=max(ledger.signed, default=0) + 1,
            base_spent=spent[self.slot - 1], base_ctr=ctr,
        )  # fmt: skip
        signed = sign_grant(self.stage.issuer_key, ledger.card.info.core, wallet.grant())
        ledger.signed[signed.grant.grant_seq] = ledger.pending = signed
        return signed

    def _genuine(self, reading: GrantReading) -> bool:
        if reading.signed is None:
            return False
        try:
            reading.signed.verify(self.ledger.card.info.core, self.stage.issuer_key.public)
        except AuthenticityError:
            return False
        return True

    def _confirm(self, signed: SignedGrant) -> None:
        self.ledger.granted[signed.grant.slot] = signed.grant.granted_total
        if self.ledger.pending == signed:
            self.ledger.pending = None


def run_load(
    stage: Stage, ledger: PurseLedger, reader: CardConnection, slot: int, cents: int
) -> None:
    """A load, or the end of one that was torn; raises what the dialogue raises."""
    Channel(reader).run(load(LoadSession(stage, ledger, slot, cents), stage.randomness))


def opening(stage: Stage, number: int, mask: str, suite: int) -> PurseLedger:
    """A new card with 100 EUR for food, and its page in the books."""
    first = WalletSpec()
    card = stage.card(first, number=number, mask=mask, suite=suite)
    signed = sign_grant(stage.issuer_key, card.info.core, first.grant())
    return PurseLedger(card, {1: first.granted}, {1: replace(signed)})
