"""What can go wrong with cards, keys and wire formats, split by who can help.

::

    CardlibError
    ├── MalformedError            the bytes are not what their format says
    │   └── NotCanonicalError     a second form of something that has one form
    ├── PresenceError             look at the cable, the reader, the card
    │   ├── ServiceMissingError   the PC/SC service does not answer
    │   ├── ReaderMissingError    no reader, or it went away
    │   ├── CardMissingError      no card in the reader
    │   ├── CardSilentError       a card that cannot be spoken with: mute, upside down, odd
    │   ├── CardGoneError         the card went away, or was reset, in the middle
    │   └── ModuleGoneError       the module card is not there, or was reset
    ├── CardAnswerError           the card answered with a status word nobody expected
    ├── PinError
    │   ├── WrongPinError         ask again; carries the tries left
    │   ├── PinBlockedError       send the holder to the desk
    │   └── PinPadError           nothing was typed on the reader's keypad; the card was not asked
    ├── ModuleRefusedError        the module card is there and does not do it: PIN, quota
    ├── PurseRefusedError         this purse must not be used, or not for this
    └── AuthenticityError         a MAC, a signature or a key is not genuine

Every error has a stable ``code`` (a key of the text catalogue) and ``facts``,
the values its sentence needs. Errors never carry secrets or prose.
"""

from collections.abc import Mapping
from typing import ClassVar


class CodedError(Exception):
    """What the root of every package's tree is: ``code`` has a sentence in the catalogue."""

    default_code: ClassVar[str] = "PROBLEM"

    def __init__(self, code: str | None = None, /, **facts: str | int) -> None:
        self.code = code or self.default_code
        self.facts: Mapping[str, str | int] = facts
        told = ", ".join(f"{name}={value}" for name, value in facts.items())
        super().__init__(f"{self.code}({told})" if told else self.code)


class CardlibError(CodedError):
    """Root of this package's tree."""

    default_code = "CARD_PROBLEM"


class MalformedError(CardlibError):
    """The bytes are not what their format says; ``what`` names the format."""

    default_code = "MALFORMED"

    def __init__(self, what: str, why: str, code: str | None = None) -> None:
        super().__init__(code, what=what, why=why)


class NotCanonicalError(MalformedError):
    """The value is readable, but not in the one form that may be signed."""

    default_code = "NOT_CANONICAL"


class PresenceError(CardlibError):
    """Something that should be plugged in is not there."""


class ServiceMissingError(PresenceError):
    """The PC/SC service does not answer."""

    default_code = "PCSC_MISSING"


class ReaderMissingError(PresenceError):
    """There is no reader, or none of the name asked for."""

    default_code = "READER_MISSING"


class CardMissingError(PresenceError):
    """There is no card in the reader."""

    default_code = "CARD_MISSING"


class CardSilentError(PresenceError):
    """There is a card, and it does not answer, or not in a way that anybody understands."""

    default_code = "CARD_MUTE"


class CardGoneError(PresenceError):
    """The card went away, was reset or stopped answering in the middle."""

    default_code = "CARD_GONE"


class ModuleGoneError(PresenceError):
    """The module card is not in its reader, went away or was reset; its session is over."""

    default_code = "MODULE_GONE"


class ModuleRefusedError(CardlibError):
    """The module card is there and does not do what was asked; nothing was signed or built."""

    default_code = "MODULE_ANSWER"


class CardAnswerError(CardlibError):
    """The card answered ``status`` (two bytes) where another was expected."""

    default_code = "CARD_ANSWER"

    def __init__(self, status: int, command: str, code: str | None = None) -> None:
        super().__init__(code, status=f"{status:04X}", command=command)
        self.status = status


class PinError(CardlibError):
    """The purse PIN was not accepted."""


class WrongPinError(PinError):
    """Wrong PIN; ``tries_left`` more may be made before the card blocks it."""

    default_code = "PIN_WRONG"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)
        self.tries_left = tries_left


class PinBlockedError(PinError):
    """No try is left: only the desk can unblock the PIN."""

    default_code = "PIN_BLOCKED"


class PinPadError(PinError):
    """The reader's keypad gave no PIN to the card: no try is lost, and it can be asked again."""

    default_code = "PIN_PAD_FAILED"


class PurseRefusedError(CardlibError):
    """A rule of PROTOCOL 2 forbids using this purse, or using it for this."""

    default_code = "PURSE_REFUSED"


class AuthenticityError(CardlibError):
    """A MAC, signature, certificate or key is not genuine."""

    default_code = "NOT_AUTHENTIC"
