"""The keypad of a reader: asks whether there is one, and has it fill in a PIN.

Nothing here holds a PIN: the reader puts the digits into the command by itself, and the
answer is a status word. Structures: ``cardlib.codec.pin_pad`` (PC/SC part 10).
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cardlib.codec.apdu import Command, Response
from cardlib.codec.pin_pad import (
    GET_FEATURES,
    Feature,
    Language,
    PadProperties,
    control_code,
    decode_features,
    decode_pin_properties,
    decode_tlv_properties,
    modify_structure,
    verify_structure,
)
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, CardlibError, PinPadError, PresenceError

_INS_VERIFY = 0x20
_WINDOWS = sys.platform == "win32"


@runtime_checkable
class ControlConnection(Protocol):
    """A connection that also reaches the reader itself (SCardControl)."""

    def control(self, code: int, data: bytes) -> bytes:
        """Sends ``data`` to the reader; what it answers. CardGoneError when it does not."""
        ...


@dataclass(frozen=True, slots=True)
class PinPad:
    """The keypad of the reader at the end of ``connection``."""

    connection: ControlConnection
    features: Mapping[int, int]
    properties: PadProperties

    @property
    def can_verify(self) -> bool:
        """Whether every PIN of ours can be typed on it."""
        return Feature.VERIFY_PIN_DIRECT in self.features and self.properties.takes_all_pins

    @property
    def can_change(self) -> bool:
        """Whether a PIN can be changed on it."""
        return Feature.MODIFY_PIN_DIRECT in self.features and self.properties.takes_all_pins

    def fill_in(self, blank: Command, language: Language = Language.ITALIAN) -> Response:
        """Has PINs typed into ``blank``, which goes to the card; the card's or reader's answer.

        Waits for the customer, most of a minute. PinPadError ``PIN_PAD_MISSING`` when the
        reader has no such feature, ``PIN_PAD_FAILED`` when it refuses to; CardGoneError
        when no answer came: whether the card was asked is then unknown.
        """
        verifies = blank.ins == _INS_VERIFY
        feature = Feature.VERIFY_PIN_DIRECT if verifies else Feature.MODIFY_PIN_DIRECT
        if feature not in self.features:
            raise PinPadError("PIN_PAD_MISSING")
        build = verify_structure if verifies else modify_structure
        structure = build(blank, language, self.properties)
        try:
            return Response.decode(self.connection.control(self.features[feature], structure))
        except CardGoneError:
            raise
        except PresenceError as error:
            raise PinPadError from error


def find_pin_pad(connection: CardConnection, *, windows: bool = _WINDOWS) -> PinPad | None:
    """The reader's keypad; None when it has none, or does not know the question.

    A reader without a keypad may still have told its properties: see :func:`ask_reader`.
    """
    pad = ask_reader(connection, windows=windows)
    return pad if pad is not None and Feature.VERIFY_PIN_DIRECT in pad.features else None


def ask_reader(connection: CardConnection, *, windows: bool = _WINDOWS) -> PinPad | None:
    """What the reader says it offers; None when it cannot be asked."""
    if not isinstance(connection, ControlConnection):
        return None
    try:
        code = control_code(GET_FEATURES, windows=windows)
        features = decode_features(connection.control(code, b""))
    except CardlibError:  # readers refuse a question that they do not know in many ways
        return None
    return PinPad(connection, features, _properties(connection, features))


def _properties(connection: ControlConnection, features: Mapping[int, int]) -> PadProperties:
    sources = {
        Feature.TLV_PROPERTIES: decode_tlv_properties,
        Feature.IFD_PIN_PROPERTIES: decode_pin_properties,
    }
    for feature, decode in sources.items():
        if feature in features:
            try:
                return decode(connection.control(features[feature], b""))
            except CardlibError:
                continue
    return PadProperties()
