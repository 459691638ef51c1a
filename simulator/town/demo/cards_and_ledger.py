"""Cards against ledger: what every chip says, beside what the backend has posted.

Per purse slot (PROTOCOL 7): ``S_card = S_proven + U``, where U are records on the
card that are not yet posted as proven, and the card's balance is what the ledger
holds on it. After the last synchronisation U is zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import PurseRow
from backend.adapters.unit_of_work import Unit
from backend.services.unit_of_work import Work
from cardlib.codec.commands import read_info, select_purse
from cardlib.codec.files import DF_BUONO_FIRST
from cardlib.codec.purse import SLOTS, Info, Spend
from cardlib.dialogues.attested import AttestedPurse
from cardlib.dialogues.load import CardState, read_state
from cardlib.dialogues.volley import Dialogue, converse, send_all
from cardlib.keys.derivation import PurseKeys
from cardlib.ports import Randomness
from cardlib.wire.ids import PurseId
from cardlib.wire.money import ZERO, Money
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection


@dataclass(frozen=True, slots=True)
class SlotBooks:
    """One slot of one purse, in the card's words and in the ledger's."""

    purse: PurseId
    slot: int
    spent_on_card: Money
    posted_proven: Money
    balance_on_card: Money
    held_by_ledger: Money
    waiting: Money = ZERO
    """Signed and in a till's journal, not yet acknowledged by the backend."""

    @property
    def unposted(self) -> Money:
        """U: on the card, not yet posted as proven."""
        return self.spent_on_card - self.posted_proven

    @property
    def agree(self) -> bool:
        """Whether card and ledger say the same, but for what waits in the tills."""
        held = self.held_by_ledger - self.waiting
        return self.unposted == self.waiting and self.balance_on_card == held


def compare(
    work: Work, keys: KeyStore, images: Iterable[Path], randomness: Randomness
) -> list[SlotBooks]:
    """Every slot in use on the cards of ``images``; a card without a purse has none."""
    rows: list[SlotBooks] = []
    for image in images:
        card = InProcessConnection(VirtualCard.load(image, randomness))
        state = converse(_read(keys, randomness), card.transmit)
        with work.read() as unit:
            rows += _slots(unit, state)
    return rows


def _read(keys: KeyStore, randomness: Randomness) -> Dialogue[CardState]:
    answers = yield from send_all(select_purse(DF_BUONO_FIRST), read_info())
    info = Info.decode(answers[1].data)
    masters = keys.masters(info.issuer, info.key_set)
    purse = AttestedPurse(info, PurseKeys.derive(masters, info), randomness)
    return (yield from read_state(purse))


def _slots(unit: Unit, state: CardState) -> list[SlotBooks]:
    purse = PurseId(state.info.issuer, state.info.purse)
    row, spend = unit.cards.purse(purse), state.newest.spend
    assert spend is not None
    granted = _granted(state)
    slots = [slot for slot in range(1, SLOTS + 1) if slot in granted or spend.spent[slot - 1]]
    return [_books(unit, row, purse, spend, slot, granted.get(slot, 0)) for slot in slots]


def _granted(state: CardState) -> dict[int, int]:
    """Granted totals by slot: the highest grant number wins."""
    signed = [reading.signed.grant for reading in state.grants if reading.signed is not None]
    ordered = sorted(signed, key=lambda grant: grant.grant_seq)
    return {grant.slot: grant.granted_total for grant in ordered}


def _books(
    unit: Unit, row: PurseRow, purse: PurseId, spend: Spend, slot: int, granted: int
) -> SlotBooks:
    spent = spend.spent[slot - 1]
    held = sum(cents for _, cents in unit.ledger.present_accounts(row.id, slot))
    return SlotBooks(
        purse, slot, Money(spent), Money(_proven(unit, row, slot)), Money(granted - spent),
        Money(held),
    )  # fmt: skip


def _proven(unit: Unit, row: PurseRow, slot: int) -> int:
    return sum(
        part.cents
        for posting in unit.verdicts.postings(row.id)
        if posting.live and posting.state == "proven"
        for part in posting.parts
        if part.slot == slot
    )
