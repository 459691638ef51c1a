"""PIN dialogues: one command each, its status turned into what a person can do."""

from cardlib.codec.apdu import Command
from cardlib.codec.commands import change_pin, unblock_pin, verify_pin
from cardlib.codec.pin import Pin
from cardlib.codec.status import pin_tries_left
from cardlib.dialogues.volley import Dialogue, send
from cardlib.errors import CardAnswerError, PinBlockedError, WrongPinError


def verify(pin: Pin) -> Dialogue[None]:
    """WrongPinError with the tries left; PinBlockedError when none is."""
    yield from _checked(verify_pin(pin))


def change(old: Pin, new: Pin) -> Dialogue[None]:
    """Changes the purse PIN; errors as :func:`verify`."""
    yield from _checked(change_pin(old, new))


def unblock(puk: Pin, new: Pin) -> Dialogue[None]:
    """Sets a new PIN with the PUK; the tries told are the PUK's."""
    yield from _checked(unblock_pin(puk, new))


def _checked(command: Command) -> Dialogue[None]:
    answer = yield from send(command)
    if answer.ok:
        return
    tries = pin_tries_left(answer.status)
    if tries is None:
        raise CardAnswerError(answer.status, "VERIFY")
    if tries == 0:
        raise PinBlockedError
    raise WrongPinError(tries)
