"""PIN dialogues: one command each, its status turned into what a person can do."""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import change_pin, unblock_pin, verify_pin
from cardlib.codec.pin import Pin
from cardlib.codec.pin_pad import PadStatus
from cardlib.codec.status import pin_tries_left
from cardlib.dialogues.volley import Dialogue, send
from cardlib.errors import CardAnswerError, PinBlockedError, PinPadError, WrongPinError

_PAD_CODES = {
    PadStatus.TIMEOUT: "PIN_PAD_TIMEOUT",
    PadStatus.CANCELLED: "PIN_PAD_CANCELLED",
    PadStatus.NEW_PINS_DIFFER: "PIN_PAD_DIFFER",
    PadStatus.WRONG_LENGTH: "PIN_PAD_LENGTH",
    PadStatus.STRUCTURE_REFUSED: "PIN_PAD_FAILED",
}


def verify(pin: Pin) -> Dialogue[None]:
    """WrongPinError with the tries left; PinBlockedError when none is."""
    yield from _checked(verify_pin(pin))


def change(old: Pin, new: Pin) -> Dialogue[None]:
    """Changes the purse PIN; errors as :func:`verify`."""
    yield from _checked(change_pin(old, new))


def unblock(puk: Pin, new: Pin) -> Dialogue[None]:
    """Sets a new PIN with the PUK; the tries told are the PUK's."""
    yield from _checked(unblock_pin(puk, new))


def check_filled_in(answer: Response) -> None:
    """The answer to a command that a reader's keypad filled in; errors as :func:`verify`.

    PinPadError when the reader gave up before it asked the card.
    """
    if answer.status in _PAD_CODES:
        raise PinPadError(_PAD_CODES[PadStatus(answer.status)])
    _check(answer)


def _checked(command: Command) -> Dialogue[None]:
    _check((yield from send(command)))


def _check(answer: Response) -> None:
    if answer.ok:
        return
    tries = pin_tries_left(answer.status)
    if tries is None:
        raise CardAnswerError(answer.status, "VERIFY")
    if tries == 0:
        raise PinBlockedError
    raise WrongPinError(tries)
