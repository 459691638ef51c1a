"""PROTOCOL 8, row 1: a shop debits more than it showed, card in its own reader.

The customer sees a small amount and types the PIN; the till takes more: in turn all but a
little, and more than there is. Then it puts the card in once more, without a PIN. What she
notices: the next honest till shows less than she thinks, or refuses.
"""

from collections import Counter
from dataclasses import dataclass, replace

from cardlib.errors import CardlibError
from cardlib.wire.ids import PurseId
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.granted import had
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.rogue_shop import RogueShop, lowered
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, groceries
from simulator.town.plan.finale import FINALE
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town

SEEN = "balance shown"
_BEYOND = 30_00
"""Cents that are not on the card, and are debited all the same."""
_OVERDRAWN = ("SALE_OVERDRAWN", "CARD_ABOVE_LEDGER", "PREDECESSOR_FORGED")


@dataclass(frozen=True, slots=True)
class _Believed:
    """What a victim thinks that her wallet holds, in cents."""

    slot: int
    cents: int


class DebitsMore(TillAttack):
    """A shop with a till of its own programming.

    ``gain``: what the bank paid it above what its customers agreed to.
    """

    name = "debits more than shown"
    expectation = Expectation(
        source="PROTOCOL 8, row 1", claim=Claim.BOUNDED,
        bound="for each insertion with its PIN: what was loaded onto the card and is not spent",
        seen_by="the balance at the next other till; without a PIN the chip answers 6982",
        refused_by=(frozenset({"6982"}),),
    )  # fmt: skip
    tries = 2

    def __init__(self) -> None:
        super().__init__()
        self._shop: RogueShop | None = None
        self._believed: dict[PurseId, _Believed] = {}
        self._taken = Counter[PurseId]()
        self._agreed = 0

    def strike(self, scene: Scene) -> None:
        """Shows little, and takes more; and tries again when nobody types."""
        shop = self._shop = self._shop or RogueShop(scene.town, "more")
        card = OpenedCard(scene.town, scene.citizen)
        slot, balance = max(card.grants, key=card.balance), groceries(card)
        overdraws = self.tally.attempts % 2 == 0
        if overdraws:
            self._declare(scene.town, card.purse)
        takes = balance + _BEYOND if overdraws else balance - PRICE
        self.tally.bound += had(scene.town, card.purse) - self._taken[card.purse]
        if shop.sell(card, slot, takes):
            self._believed[card.purse] = _Believed(slot, balance - PRICE)
            self._taken[card.purse] += takes
            self._agreed += PRICE
        nobody = OpenedCard(scene.town, scene.citizen.with_pin(""))
        self.refused(f"{_debit(nobody, slot):04X}")
        shop.synchronise()

    @staticmethod
    def _declare(town: Town, purse: PurseId) -> None:
        town.declared.rogue_purse(purse)
        for code in _OVERDRAWN:
            town.declared.expect(code, purse=purse)
        town.declared.findings.add("SPENT_ABOVE_GRANT")

    def follow(self, town: Town, happening: Happening) -> None:
        """At every honest till that she comes to: what it shows. At last she goes to one."""
        if self._shop is not None:
            self._shop.close_with_the_others(happening)
        register = town.registers.get(happening.place)
        if register is None or register.till is None or register.till.journal.views.unsettled():
            return
        citizen = town.citizens.get(happening.person)
        if happening.kind is Kind.BUY and citizen is not None and citizen.purse is not None:
            self._look(town, register, citizen.purse, happening)
        elif happening.kind is Kind.SYNC and happening.id.startswith(FINALE):
            for purse in list(self._believed):
                self._look(town, register, purse, happening)

    def _look(self, town: Town, register: Register, purse: PurseId, happening: Happening) -> None:
        believed = self._believed.get(purse)
        if believed is None or town.holders[purse].lost:
            return
        del self._believed[purse]
        shown = self._shown(register, town, purse, believed.slot)
        if shown is None or shown < believed.cents:
            self.tally.seen.setdefault(SEEN, happening.id)
        else:
            self.tally.overdue.append(f"the till showed {shown} at {happening.id}")

    def _shown(self, register: Register, town: Town, purse: PurseId, slot: int) -> int | None:
        """Cents of her wallet on a till's screen; None where it refuses the card."""
        assert register.counter is not None
        line = town.holders[purse].line()
        try:
            with register.counter.sale(register.counter.card(line)) as sale:
                wallets = sale.read().wallets
        except CardlibError as error:
            self.refused(error.code)
            return None
        finally:
            line.reset()
            town.declared.acted_at(register.terminal)
        return sum(wallet.balance.cents for wallet in wallets if wallet.slot == slot)

    def sum_up(self, town: Town) -> None:
        """What it was paid; and who never saw it."""
        if self._shop is not None:
            self.tally.gain = max(0, self._shop.paid - self._agreed)
        for purse in self._believed:
            if not town.holders[purse].lost:
                self.tally.overdue.append(f"the holder of {purse} has seen nothing")


def _debit(card: OpenedCard, slot: int) -> int:
    """One more record, though nobody types; the chip's status word."""
    more = lowered(card.newest, slot, -PRICE)
    return card.write(replace(more, ctr=more.ctr + 1, prev=card.link))
