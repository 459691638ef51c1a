"""The purse PIN set anew by the backend, under the administration keys (PROTOCOL 2).

For a citizen who has forgotten PIN and PUK. ``0C2C029C 1D 87 11 01 cipher(16) 8E 08 mac
00``: no station ever sees the new PIN. All its tries are given back.
"""

from dataclasses import dataclass
from typing import Protocol

from cardlib.codec.apdu import Command
from cardlib.codec.commands import get_challenge
from cardlib.codec.files import PinReference
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues.administration import Administrator
from cardlib.dialogues.find import find_purse
from cardlib.dialogues.volley import Dialogue, send_all
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.suites import suite_of
from cardlib.ports import Randomness

_BY_KEY = 0x02


@dataclass(frozen=True, slots=True, repr=False)
class PinReset:
    """The purse's keys and its new PIN; ``new_keys`` while its key set is being changed."""

    keys: PurseKeys
    pin: Pin
    new_keys: PurseKeys | None = None


class PinResetAuthority(Protocol):
    """Who may reset PINs: the backend."""

    def reset(self, info: Info) -> PinReset | None:
        """The new PIN, on record before this returns; None for a purse not served here."""
        ...


def reset_pin(authority: PinResetAuthority, randomness: Randomness) -> Dialogue[Info]:
    """Sets the PIN; EF.INFO of the purse, once the card has confirmed it with a MAC.

    PurseRefusedError when no purse here is served; CardAnswerError when the card
    refuses; AuthenticityError when its answer's MAC is bad: nobody knows then which PIN
    holds, and another reset settles it.
    """
    info, order = yield from find_purse(authority.reset)
    suite = suite_of(info.suite)
    administrator = Administrator(suite, order.keys, order.new_keys, randomness)
    answers = yield from send_all(get_challenge(), administrator.fresh_random())
    administrator.challenged(answers[0])
    yield from administrator.administer(
        Command(0x00, 0x2C, _BY_KEY, PinReference.PURSE_PIN, order.pin.block)
    )
    return info
