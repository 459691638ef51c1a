"""PROTOCOL 2 (Load), 1.4: the write of a grant is held back, the order voided, the write released.

A holder has a board between his card and the reader. He says that the load failed, two people
void the order before his eyes, and the board lets the command through. In turn he shows the
desk, for the void, a copy of his card instead of the one that waits for the command.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.channel import Channel
from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.faults import ForgedMap, HeldBack, Shim, every
from simulator.town.actors.cashier import Cashier
from simulator.town.actors.counter_talk import CounterTalk
from simulator.town.actors.reader import Reader
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import PRICE
from simulator.town.plan.calendar import GROCERIES
from simulator.town.plan.model import FOOD, Happening, Kind, Mood
from terminal.agent.card_session import run_session
from terminal.pay import Order
from terminal.sale.offer import Item

_DELTA = 60_00
_P1 = 2
_NEWEST = "SELECT max(id) FROM load_order"
_STATES = "SELECT state, delta_cents FROM load_order WHERE id = ?"


class _Powered(Shim):
    """Wires that keep the card powered: its purse stays selected, whoever resets."""

    def reset(self) -> None:
        """The card does not notice."""

    def close(self) -> None:
        """The same."""


class HeldBackLoad(BooksAttack):
    """A void kills what is held back on that chip; a state that uses a void grant revives it."""

    name: ClassVar[str] = "held back load"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 1.4, 2 (Load)", claim=Claim.STOPPED,
        seen_by="the chip refuses (6985); a copied chip: GRANT_REVIVED at the upload of its first"
        " sale, GRANT_WAS_VOID at the desk",
        refused_by=(frozenset({"LOAD_VOIDED", "6985"}), frozenset({"LOAD_VOIDED", "9000"})),
    )  # fmt: skip
    tell_tales: ClassVar[frozenset[str]] = frozenset({"GRANT_REVIVED", "GRANT_WAS_VOID"})
    anywhere: ClassVar[bool] = True
    tries: ClassVar[int] = 2

    def prepare(self) -> None:
        """No order yet."""
        self.orders: dict[int, PurseId] = {}
        self.copied: set[PurseId] = set()

    def act(self, happening: Happening) -> None:
        """At the desk, with an order for him alone."""
        card = self.victim(happening)
        if card is None or card.citizen.waiting or card.purse in self.orders.values():
            return
        town, citizen = self.town, card.citizen
        copy = self._copy(card) if self.tally.attempts % 2 else None
        town.official.order_load(card.purse, citizen.person.key, GROCERIES, _DELTA)
        order = self._newest()
        citizen.line().reset()
        board = HeldBack(_Powered(citizen.line()), every(INS_UPDATE_RECORD))
        outcome = run_session(Channel(board), town.desk.uplink, SessionOpening("load", "")).outcome
        self.tally.refuse(outcome)
        shown = copy or board.inner
        void = SessionOpening("void", str(order))
        self.tally.refuse(run_session(Channel(shown), town.desk.uplink, void).outcome)
        self.orders[order] = card.purse
        record = board.held[0][_P1] if board.held else 0
        self.tally.refuse(board.release()[-2:].hex().upper())
        citizen.line().reset()
        if copy is not None:
            self._buy(card, record, happening)
        self.tally.attempts += 1

    def _copy(self, card: OpenedCard) -> InProcessConnection:
        """His card as it is, on another chip."""
        memory = image.decode(image.encode(card.citizen.card.memory))
        self.copied.add(card.purse)
        self.town.declared.rogue_purse(card.purse)
        for code in ("GRANT_REVIVED", "GRANT_WAS_VOID"):
            self.town.declared.expect(code)
        return InProcessConnection(VirtualCard(memory, self.town.randomness, without_image=True))

    def _buy(self, card: OpenedCard, record: int, happening: Happening) -> None:
        """With a map that names the grant of the void order, which is validly signed."""
        register, quiet = self.town.registers[happening.place], replace(
            happening, id=f"{happening.id}-void", accidents=(), mood=Mood.PATIENT, forgets=False,
        )  # fmt: skip
        if register.till is None or register.till.journal.views.unsettled():
            return
        reader = Reader(card.citizen)
        named = card.info.record_map | 1 << (record - 1)
        reader.connection = ForgedMap(card.citizen.line(), named)
        talk = CounterTalk(register, card.citizen, reader, slips=0)
        Cashier(self.town, quiet).serve(Order((Item(FOOD, Money(PRICE)),)), talk)
        self.town.declared.acted_at(register.terminal)

    def _newest(self) -> int:
        with self.town.engine.connect() as connection:
            return int(connection.exec_driver_sql(_NEWEST).scalar_one())

    def finish(self, happening: Happening) -> None:
        """At last whoever has a grant of a void order on a copied card brings it to the desk."""
        if happening.kind is not Kind.END_DAY:
            return
        for purse in sorted(self.copied, key=str):
            citizen = self.town.holders[purse]
            line = Channel(citizen.line())
            done = run_session(line, self.town.desk.uplink, SessionOpening("load", ""))
            self.tally.refuse(done.outcome)

    def count(self) -> None:
        """Money that is on a card, or was spent, without an order that stands."""
        truth = self.town.truth
        with self.town.engine.connect() as connection:
            for order, purse in self.orders.items():
                state, delta = connection.exec_driver_sql(_STATES, (order,)).one()
                stands = delta if state in {"on_card", "superseded_on_card", "loading"} else 0
                due = truth.loaded[purse] + stands
                self.tally.gain += max(0, truth.received()[purse] - due)
        if self.copied and not self.tally.seen:
            self.tally.overdue.append("GRANT_WAS_VOID")
