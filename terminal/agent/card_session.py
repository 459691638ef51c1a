"""The station's side of a card session: carries volleys between backend and card.

The station decides nothing and sees no key. It transmits the commands of a step in
order, stops after the first that is not answered 9000, and sends back what it got;
when the card goes away it sends what it had. Every session ends with a card reset.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from cardlib.channel import Channel
from cardlib.codec.apdu import Response
from cardlib.codec.commands import tries_left, verify_pin
from cardlib.codec.pin import Pin
from cardlib.codec.pin_pad import verify_blank
from cardlib.codec.status import pin_tries_left
from cardlib.errors import CardGoneError, MalformedError
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from terminal.errors import TerminalError

STEPS_MAX = 64
_ASKS_FOR_PIN = bytes(tries_left())
_OK = b"\x90\x00"


class CardLine(Protocol):
    """A card within reach: the ``Channel`` to one, or a T=1 ``CardConnection`` itself."""

    def transmit(self, apdu: bytes) -> bytes:
        """The answer to a command; CardGoneError when the card went away."""
        ...

    def reset(self) -> None:
        """Resets the card."""
        ...


class SessionUplink(Protocol):
    """The way to the backend. Repeats a request whose answer was lost: steps are idempotent."""

    def open(self, opening: SessionOpening) -> SessionCommands:
        """Begins a session."""
        ...

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        """Sends the answers of a step; the commands of the next one, or the outcome."""
        ...


class SessionError(TerminalError):
    """The session did not come to its end; the next one goes on where the card is."""

    default_code = "CARD_SESSION_ENDLESS"


PinAsker = Callable[[int | None], Pin | None]
"""Asks the citizen, told the tries left after a wrong PIN; None when there is no PIN."""


def no_pin(_tries: int | None) -> Pin | None:
    """A station at which nobody can type a PIN."""
    return None


def run_session(
    card: CardLine,
    uplink: SessionUplink,
    opening: SessionOpening,
    progress: Callable[[int], None] = lambda _step: None,
    ask_pin: PinAsker = no_pin,
) -> SessionCommands:
    """Runs one session on the ``card`` in the reader; the last message holds the outcome.

    ``progress`` is told each step's number before its commands go to the card. What the
    uplink raises passes through: the card is then in a state that any later session
    can go on from. Where the backend asks how many tries the PIN has left, the station
    presents the PIN that ``ask_pin`` gives: it goes to the card and nowhere else.
    """
    try:
        commands = uplink.open(opening)
        for _ in range(STEPS_MAX):
            if commands.done:
                return commands
            progress(commands.step)
            answers = SessionAnswers(commands.step, transmit(card, commands.commands, ask_pin))
            commands = uplink.step(commands.session, answers)
        raise SessionError
    finally:
        with suppress(CardGoneError):
            card.reset()


def transmit(
    card: CardLine, commands: tuple[bytes, ...], ask_pin: PinAsker = no_pin
) -> tuple[bytes, ...]:
    """The answers, up to the first that is not 9000, or up to the loss of the card."""
    answers: list[bytes] = []
    for command in commands:
        try:
            asks = command == _ASKS_FOR_PIN
            answers.append(present_pin(card, ask_pin) if asks else card.transmit(command))
        except (CardGoneError, MalformedError):
            break
        if answers[-1][-2:] != _OK:
            break
    return tuple(answers)


def present_pin(card: CardLine, ask_pin: PinAsker) -> bytes:
    """The card's answer to the PIN, which a wrong one makes the citizen type again.

    On a reader with a keypad it is typed there, and ``ask_pin`` is not asked. Without a
    PIN, the tries left: the backend then ends the session.
    """
    if isinstance(card, Channel) and card.pin_pad is not None and card.pin_pad.can_verify:
        return _typed_on_pad(card)
    left: int | None = None
    while (pin := ask_pin(left)) is not None:
        answer = card.transmit(bytes(verify_pin(pin)))
        left = pin_tries_left(Response.decode(answer).status)
        if not left:
            return answer
    return card.transmit(_ASKS_FOR_PIN)


def _typed_on_pad(card: Channel) -> bytes:
    """As often as it is wrong; the red key, or nobody, ends it."""
    while True:
        answer = card.fill_in(verify_blank())
        left = pin_tries_left(answer.status)
        if answer.ok or left == 0:
            return bytes(answer)
        if left is None:
            return card.transmit(_ASKS_FOR_PIN)
