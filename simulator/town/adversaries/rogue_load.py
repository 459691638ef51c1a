"""PROTOCOL 2 (Load), 6: a station without a load key wants money onto a friend's card.

A rogue shop is a station like any other that is online. It writes with the keys that it has,
asks for somebody else's order, and goes on with a session that the desk has begun.
"""

from typing import ClassVar

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.commands import INS_UPDATE_BINARY, INS_UPDATE_RECORD
from cardlib.codec.files import EF_GRANT, EF_INFO
from cardlib.errors import CodedError
from cardlib.keys import records
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from cardlib.wire.ids import PurseId
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.calendar import GROCERIES
from simulator.town.plan.model import Happening, Kind
from terminal.agent.card_session import run_session

_WAITING = (
    "SELECT o.id FROM load_order o JOIN purse p ON p.id = o.purse_id"
    " WHERE o.state = 'approved' AND p.number <> ? ORDER BY o.id"
)


class RogueLoad(BooksAttack):
    """Grants are written under the backend's keys, for the purse of the order, in one session."""

    name: ClassVar[str] = "rogue load"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 2 (Load), 6 (card sessions)", claim=Claim.STOPPED,
        seen_by="refused at once: by the chip, and by the backend with a code",
        refused_by=(frozenset({"6988", "ORDER_OTHER_PURSE", "CARD_SESSION_OTHER_STATION"}),),
    )  # fmt: skip
    turn: ClassVar[frozenset[Kind]] = frozenset({Kind.BUY})
    tries: ClassVar[int] = 4

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.worth: dict[PurseId, int] = {}

    def act(self, happening: Happening) -> None:
        """A friend comes by; another household's order waits, for the town is generous."""
        card = self.victim(happening)
        others = [one for one in self.town.citizens.values() if one.purse and not one.lost]
        others = [one for one in others if card is not None and one.purse != card.purse]
        if card is None or not others:
            return
        other, before = self.rng.choice(others), card.worth
        assert other.purse is not None
        self.town.official.order_load(other.purse, other.person.key, GROCERIES, 1_000)
        other.waiting += 1
        self._write_grant(card)
        self._ask_for_order(card)
        self._take_over(card)
        self.tally.gain += max(0, card.worth - before)
        self.tally.attempts += 1

    def _write_grant(self, card: OpenedCard) -> None:
        """A copy of its own grant, and the map, under the key that a shop has."""
        record = records.seal_grant(card.keys.record, card.grants[min(card.grants)])
        for plain in (
            Command(0, INS_UPDATE_RECORD, card.free_grant_record(), EF_GRANT.read_p2, record),
            Command(0, INS_UPDATE_BINARY, 0x80 | EF_INFO.sfi, EF_INFO.size - 1, b"\xff"),
        ):
            self._note(f"{card.send_secured(plain):04X}")

    def _ask_for_order(self, card: OpenedCard) -> None:
        """Another household's order, on this card."""
        with self.town.engine.connect() as connection:
            found = connection.exec_driver_sql(_WAITING, (card.purse.number,)).scalars().all()
        opening = SessionOpening("load", str(found[-1]))
        line = Channel(card.citizen.line())
        self._note(run_session(line, self.shop.register.uplink, opening).outcome)

    def _take_over(self, card: OpenedCard) -> None:
        """A session of the desk, whose number was overheard."""
        commands = self.town.desk.uplink.open(SessionOpening("load", ""))
        line = card.citizen.line()
        line.reset()
        answers = tuple(line.transmit(command) for command in commands.commands)
        try:
            told = self.shop.register.uplink.step(
                commands.session, SessionAnswers(commands.step, answers)
            )
        except CodedError as error:
            self._note(error.code)
        else:
            self._note(told.outcome or "went on")

    def _note(self, answer: str) -> None:
        self.tally.refuse(answer)
        if answer in {"9000", "LOAD_DONE", "went on"}:
            self.tally.overdue.append(f"not refused: {answer}")
