"""A card that lies: some of its answers are changed, made up, or another command's."""

from collections.abc import Callable, Sequence
from copy import copy
from random import Random

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from simulator.faults import Shim
from tests.fuzz.finding import FindingError

COMMANDS_MAX = 3000
"""No dialogue sends more, whatever it hears."""
SIZES = (0, 1, 2, 3, 10, 19, 68, 109, 258)
STATUSES = (
    "6100", "6108", "61FF", "6200", "6282", "6283", "63C0", "63C1", "63CF", "6581", "6700", "6881",
    "6882", "6982", "6983", "6985", "6987", "6988", "6A80", "6A81", "6A82", "6A83", "6A86", "6A88",
    "6B00", "6C00", "6C01", "6C44", "6D00", "6E00", "6F00", "9000", "9100", "0000", "FFFF",
)  # fmt: skip


class Liar(Shim):
    """Lies at the commands that ``random`` chooses, with ``others`` as a store of real answers."""

    def __init__(self, inner: CardConnection, random: Random, others: Sequence[bytes]) -> None:
        super().__init__(inner)
        self._random, self._others = random, others
        self._first = random.randrange(30)
        self._rate = random.choice((0.0, 0.0, 0.1, 0.3, 1.0))
        self.talk: list[tuple[bytes, bytes]] = []
        self.lies: list[bytes] = []

    def around(self, inner: CardConnection) -> "Liar":
        """The same liar before another card: what was said is kept together."""
        other = copy(self)
        other.inner = inner
        return other

    def transmit(self, apdu: bytes) -> bytes:
        """A real answer or a lie; now and then the card never heard the command, or is gone."""
        if len(self.talk) > COMMANDS_MAX:
            raise FindingError("the host never stops asking", "", self.talk[-20:])
        at = len(self.talk)
        lying = at == self._first or (at > self._first and self._random.random() < self._rate)
        heard = not lying or self._random.random() < 0.8
        answer = self.inner.transmit(apdu) if heard else b"\x90\x00"
        if lying:
            self.lies.append(apdu)
            answer = self._lie(answer)
        self.talk.append((apdu, answer))
        return answer

    def _lie(self, answer: bytes) -> bytes:
        if self._random.random() < 0.08:
            raise CardGoneError
        if self._random.random() < 0.08:
            return self._random.choice(self._others)
        return self._random.choice(_LIES)(self._random, answer)


def _bit(random: Random, answer: bytes) -> bytes:
    at = random.randrange(len(answer))
    return answer[:at] + bytes((answer[at] ^ 1 << random.randrange(8),)) + answer[at + 1 :]


def _length(random: Random, answer: bytes) -> bytes:
    """Another length in a data object, if that is what it begins with."""
    if len(answer) < 4:
        return answer
    length = random.choice(("00", "01", "7F", "80", "81", "8180", "820100", "84FFFFFFFF", "FF"))
    return answer[:1] + bytes.fromhex(length) + answer[2:]


def _status_only(random: Random, _answer: bytes) -> bytes:
    return bytes.fromhex(random.choice(STATUSES))


_LIES: Sequence[Callable[[Random, bytes], bytes]] = (
    _bit,
    _bit,
    _length,
    _status_only,
    lambda random, answer: answer[: random.randrange(len(answer) + 1)],
    lambda random, answer: random.randbytes(random.choice(SIZES)) + answer,
    lambda random, answer: answer[:-2] + _status_only(random, answer),
    lambda random, _answer: random.randbytes(random.choice((*SIZES, 70_000))),
    lambda random, answer: random.randbytes(len(answer) - 2) + answer[-2:],
    lambda random, answer: bytes(random.choice((0, 0xFF)) for _ in answer[:-2]) + answer[-2:],
)
