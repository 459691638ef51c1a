"""The write side of secure messaging: one challenge a write, one random a round trip."""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import CHALLENGE_SIZE, give_random
from cardlib.errors import AuthenticityError, CardAnswerError
from cardlib.keys import secure_messaging
from cardlib.keys.suites import CipherSuite
from cardlib.ports import Randomness

RANDOM_SIZE = 8


class SecuredWriter:
    """Challenge and host random of one selection, with the keys for writes and their answers.

    Gives commands and checks their answers; the caller yields them in between.
    """

    def __init__(
        self, suite: CipherSuite, command_key: bytes, response_key: bytes, randomness: Randomness
    ) -> None:
        self._suite = suite
        self._command_key = command_key
        self._response_key = response_key
        self._randomness = randomness
        self._random = b""
        self._challenge: bytes | None = None

    @property
    def random(self) -> bytes:
        """The random given last."""
        return self._random

    def fresh_random(self) -> Command:
        """GIVE RANDOM: answers are MACed over this one from now on."""
        self._random = self._randomness.bytes(RANDOM_SIZE)
        return give_random(self._random)

    def challenged(self, answer: Response) -> None:
        """Takes the answer of GET CHALLENGE for the next write."""
        if len(answer.data) != CHALLENGE_SIZE:
            raise CardAnswerError(answer.status, "GET CHALLENGE")
        self._challenge = answer.data

    def secured(self, plain: Command, encipher_key: bytes | None = None) -> Command:
        """``plain`` with its MAC, its data enciphered when a key for that is given.

        Uses the challenge up; AuthenticityError ``CARD_NO_CHALLENGE`` without one.
        """
        if self._challenge is None:
            raise AuthenticityError("CARD_NO_CHALLENGE")
        challenge, self._challenge = self._challenge, None
        objects = None if plain.data else b""
        if encipher_key is not None:
            objects = secure_messaging.cipher_object(
                self._suite, encipher_key, challenge, plain.data
            )
        return secure_messaging.protect(self._suite, self._command_key, challenge, plain, objects)

    def require_written(self, command: Command, answer: Response, random: bytes) -> None:
        """CardAnswerError or AuthenticityError unless 9000 was MACed over ``random``."""
        key = self._response_key
        secure_messaging.require_write(self._suite, key, random, command, answer)
