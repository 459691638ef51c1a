"""PROTOCOL 6: answers of a card session are sent again, changed, and in another session.

A rogue shop is the station of a friend's load and keeps all that went by. The load shall count
twice, or the backend believe the card to be where it was.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from cardlib.channel import Channel
from cardlib.errors import CodedError
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.calendar import GROCERIES
from simulator.town.plan.model import Happening
from terminal.agent.card_session import SessionUplink, run_session

_DELTA = 700


@dataclass(slots=True)
class _Recorder:
    """Implements ``SessionUplink``: passes everything on, and keeps it."""

    inner: SessionUplink
    session: str = ""
    steps: list[SessionAnswers] = field(default_factory=list)
    replies: list[SessionCommands] = field(default_factory=list)

    def open(self, opening: SessionOpening) -> SessionCommands:
        commands = self.inner.open(opening)
        self.session = commands.session
        return commands

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        self.steps.append(answers)
        self.replies.append(self.inner.step(session, answers))
        return self.replies[-1]


class ReplayedLoad(BooksAttack):
    """A step counts once, the same again gets the same words; a new session has new randoms."""

    name: ClassVar[str] = "replayed load"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 6 (card sessions)", claim=Claim.STOPPED,
        seen_by="CARD_SESSION_STEP_DIFFERS at once; CARD_MAC_BAD, an alarm, in a new session",
        refused_by=(frozenset({"the same answer", "CARD_SESSION_STEP_DIFFERS", "CARD_MAC_BAD"}),),
        told_by=frozenset({"CARD_MAC_BAD"}),
    )  # fmt: skip
    tries: ClassVar[int] = 3

    def prepare(self) -> None:
        """Opens the shop."""
        shop = self.open_shop()
        self.town.declared.expect("CARD_MAC_BAD", terminal=shop.terminal)

    def act(self, happening: Happening) -> None:
        """A friend fetches a small load here; afterwards everything is tried once more."""
        card = self.victim(happening)
        if card is None or card.citizen.waiting:
            return
        self.town.official.order_load(card.purse, card.citizen.person.key, GROCERIES, _DELTA)
        recorder = _Recorder(self.shop.register.uplink)
        line = Channel(card.citizen.line())
        done = run_session(line, recorder, SessionOpening("load", ""))
        if done.outcome != "LOAD_DONE":
            card.citizen.waiting += 1
            return
        self.town.truth.loaded[card.purse] += done.cents
        self.tally.attempts += 1
        before = card.worth
        self._again(recorder)
        self._changed(recorder)
        self._elsewhere(recorder)
        self._at_the_card(card, recorder)
        self.tally.gain += max(0, card.worth - before)

    def _again(self, recorder: _Recorder) -> None:
        """Every step once more, word for word."""
        for answers, reply in zip(recorder.steps, recorder.replies, strict=True):
            told = self.shop.register.uplink.step(recorder.session, answers)
            self.tally.refuse("the same answer" if told == reply else "another answer")
            if told != reply:
                self.tally.overdue.append("a step was taken twice")

    def _changed(self, recorder: _Recorder) -> None:
        """The last step with the answers of the first."""
        last = SessionAnswers(recorder.steps[-1].step, recorder.steps[0].answers)
        try:
            self.shop.register.uplink.step(recorder.session, last)
        except CodedError as error:
            self.tally.refuse(error.code)
        else:
            self.tally.overdue.append("a step was changed")

    def _elsewhere(self, recorder: _Recorder) -> None:
        """A new session, and no card: the old answers, one after the other."""
        uplink = self.shop.register.uplink
        commands = uplink.open(SessionOpening("load", ""))
        for answers in recorder.steps:
            if commands.done:
                break
            commands = uplink.step(commands.session, SessionAnswers(commands.step, answers.answers))
        self.tally.refuse(commands.outcome or "went on")
        if commands.outcome != "CARD_MAC_BAD":
            self.tally.overdue.append(f"old answers were believed: {commands.outcome}")

    def _at_the_card(self, card: OpenedCard, recorder: _Recorder) -> None:
        """The commands that wrote the grant, once more to the card."""
        line = card.citizen.line()
        line.reset()
        for reply in recorder.replies:
            for command in reply.commands:
                line.transmit(command)
        line.reset()
