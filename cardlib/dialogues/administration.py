"""Commands under the administration keys: K_AC MACs them, K_AE hides what they carry.

A purse in the middle of a key-set change may hold the old or the new of each key. The
keys change in a fixed order (K_AE, K_AR, K_AC last), so there are three ways in, tried
in that order; the answer is under K_AR as it was before the command. A card refuses
what is not for its keys with 6988 or 6700 and changes nothing. PROTOCOL 2.
"""

from dataclasses import dataclass

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import get_challenge
from cardlib.codec.status import Status
from cardlib.dialogues.secured import SecuredWriter
from cardlib.dialogues.volley import Dialogue, check_shape, send_all
from cardlib.errors import AuthenticityError, CardAnswerError
from cardlib.keys import secure_messaging
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.suites import CipherSuite
from cardlib.ports import Randomness

_NOT_ITS_KEYS = (Status.SM_OBJECT_WRONG, Status.WRONG_LENGTH)


@dataclass(frozen=True, slots=True, repr=False)
class AdminKeys:
    """One way in: K_AC and K_AE, 16 bytes each."""

    command: bytes
    encipher: bytes


ENCIPHER_CHANGED, COMMAND_CHANGED = 1, 2
"""Ways in, by number, once K_AE is new and once K_AC is."""


def ways_in(old: PurseKeys, new: PurseKeys | None = None) -> tuple[AdminKeys, ...]:
    """The ways in, in the order in which a change goes through them; one without a change."""
    first = AdminKeys(old.admin_command, old.admin_encipher)
    if new is None:
        return (first,)
    middle = AdminKeys(old.admin_command, new.admin_encipher)
    return first, middle, AdminKeys(new.admin_command, new.admin_encipher)


class Administrator(SecuredWriter):
    """Writes under administration keys of one selected purse.

    ``old`` are the keys the purse has, or had before a change to ``new`` was begun.
    """

    def __init__(
        self, suite: CipherSuite, old: PurseKeys, new: PurseKeys | None, randomness: Randomness
    ) -> None:
        super().__init__(suite, old.admin_command, old.admin_response, randomness)
        self._ways = ways_in(old, new)
        self._way = 0
        keys = (old,) if new is None else (old, new)
        self._answer_keys = tuple(item.admin_response for item in keys)

    def administer(self, plain: Command) -> Dialogue[None]:
        """One enciphered command, its answer checked; a fresh challenge is there afterwards.

        CardAnswerError when the card refuses it under every way in; AuthenticityError
        when it answers 9000 without a good MAC.
        """
        while True:
            command, before = self._enciphered(plain), self._random
            volley = (command, get_challenge(), self.fresh_random())
            answers = yield volley
            check_shape(volley, answers)
            if len(answers) == len(volley):
                self.require_administered(command, answers[0], before)
                self.challenged(answers[1])
                return
            refused = answers[-1] if answers else None
            if refused is None or refused.status not in _NOT_ITS_KEYS or not self._next_way():
                status = 0 if refused is None else refused.status
                raise CardAnswerError(status, f"INS {plain.ins:02X}")
            again = yield from send_all(get_challenge(), self.fresh_random())
            self.challenged(again[0])

    def advance(self, way: int) -> None:
        """The purse has changed so far that no earlier way in is open."""
        self._way = max(self._way, way)

    def require_administered(self, command: Command, answer: Response, random: bytes) -> None:
        """AuthenticityError unless 9000 was MACed over ``random`` under the old or new K_AR."""
        confirmed = (
            secure_messaging.write_confirmed(self._suite, key, random, command, answer)
            for key in self._answer_keys
        )
        if not any(confirmed):
            raise AuthenticityError("CARD_MAC_BAD")

    def _enciphered(self, plain: Command) -> Command:
        way = self._ways[self._way]
        self._command_key = way.command
        return self.secured(plain, way.encipher)

    def _next_way(self) -> bool:
        if self._way + 1 == len(self._ways):
            return False
        self._way += 1
        return True
