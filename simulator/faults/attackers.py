"""What sits between an honest card and its host. Attack numbers are those of PROTOCOL 1."""

from collections.abc import Callable

from cardlib.codec.apdu import Response
from cardlib.codec.files import EF_INFO
from cardlib.codec.status import Status
from cardlib.connection import CardConnection
from simulator.faults.shim import Shim
from simulator.faults.triggers import Trigger

_OK = bytes(Response(b"", Status.OK))
_VERIFY, _SELECT, _READ_BINARY, _READ_RECORD = 0x20, 0xA4, 0xB0, 0xB2
_GET_CHALLENGE, _GIVE_RANDOM = 0x84, 0x86
_MAC_HEAD = b"\x8e\x08"
_MAC_OBJECT_SIZE = 10


class StaleRead(Shim):
    """Attack 1: a shim replays old answers of READ RECORD, record and MAC together.

    It remembers the first answer to each; from ``replay()`` on, or from the command at
    which ``when`` strikes, it gives no other.
    """

    def __init__(self, inner: CardConnection, when: Trigger | None = None) -> None:
        super().__init__(inner)
        self._when = when
        self._recorded: dict[bytes, bytes] = {}
        self._replaying = False

    def replay(self) -> None:
        """From now on, old answers."""
        self._replaying = True

    def transmit(self, apdu: bytes) -> bytes:
        """A recorded answer, or the card's."""
        if self._when is not None and self._when(apdu):
            self.replay()
        if apdu[1] != _READ_RECORD:
            return self.inner.transmit(apdu)
        if self._replaying and apdu in self._recorded:
            return self._recorded[apdu]
        answer = self.inner.transmit(apdu)
        self._recorded.setdefault(apdu, answer)
        return answer


class _Liar(Shim):
    """Answers ``status`` for the card, when it strikes."""

    def __init__(
        self, inner: CardConnection, when: Trigger, status: int = Status.CONDITIONS
    ) -> None:
        super().__init__(inner)
        self._when = when
        self._answer = bytes(Response(b"", status))


class ForgedStatus(_Liar):
    """Attack 4: a shim lets the command through and answers ``status`` instead of the card."""

    def transmit(self, apdu: bytes) -> bytes:
        """The forged status word, after the card has acted."""
        if not self._when(apdu):
            return self.inner.transmit(apdu)
        self.inner.transmit(apdu)
        return self._answer


class HeldBack(_Liar):
    """Attack 4: a shim answers ``status``, keeps the command, and lets it through later."""

    def __init__(
        self, inner: CardConnection, when: Trigger, status: int = Status.CONDITIONS
    ) -> None:
        super().__init__(inner, when, status)
        self.held: list[bytes] = []
        """Commands the card has not seen yet."""

    def transmit(self, apdu: bytes) -> bytes:
        """The forged status word; the card sees nothing."""
        if not self._when(apdu):
            return self.inner.transmit(apdu)
        self.held.append(apdu)
        return self._answer

    def release(self) -> bytes:
        """Sends the oldest held command to the card; the card's answer."""
        return self.inner.transmit(self.held.pop(0))


class HeldOver(HeldBack):
    """Attack 4: as ``HeldBack``, and it keeps what was held alive while the host reads afresh.

    Once a command is held, SELECT, GET CHALLENGE and resets do not reach the card, and no other
    command that strikes: the challenge of the held one outlives every fresh read.
    """

    def __init__(
        self, inner: CardConnection, when: Trigger, status: int = Status.CONDITIONS
    ) -> None:
        super().__init__(inner, when, status)
        self._selected: dict[bytes, bytes] = {}
        self._challenges = 0

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answers, but none that would cost the held command its challenge."""
        if not self.held:
            answer = super().transmit(apdu)
            if apdu[1] == _SELECT:
                self._selected[apdu] = answer
            return answer
        if self._when(apdu):
            return self._answer
        if apdu[1] == _GET_CHALLENGE:
            self._challenges += 1
            return self._challenges.to_bytes(8, "big") + _OK
        if apdu[1] == _SELECT and apdu in self._selected:
            return self._selected[apdu]
        return self.inner.transmit(apdu)

    def reset(self) -> None:
        """The card stays powered while something is held."""
        if not self.held:
            self.inner.reset()

    def close(self) -> None:
        """The same."""
        if not self.held:
            self.inner.close()


class SentAgain(Shim):
    """Attack in a session: a command reaches the card once more; the host sees the first answer."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when
        self.again: list[bytes] = []
        """What the card said to the repetitions."""

    def transmit(self, apdu: bytes) -> bytes:
        """The card's first answer."""
        answer = self.inner.transmit(apdu)
        if self._when(apdu):
            self.again.append(self.inner.transmit(apdu))
        return answer


class PinWedge(Shim):
    """Attack 5: a shim answers 9000 to every VERIFY and does not pass it on."""

    def transmit(self, apdu: bytes) -> bytes:
        """9000 for VERIFY, the card's answer for all else."""
        return _OK if apdu[1] == _VERIFY else self.inner.transmit(apdu)


class TwoTills(Shim):
    """Attack 8: one card serves two tills at once; each takes the other's steps for its own.

    Every :meth:`till` is a connection. SELECT and GET CHALLENGE reach the card once and
    are answered from memory afterwards; a till's own random is given again before its
    turn, so that all MACs it sees are good. Resets reach the card from neither. With
    ``own_challenges`` each till gets a challenge of its own, fresh from the card.
    """

    def __init__(self, inner: CardConnection, *, own_challenges: bool = False) -> None:
        super().__init__(inner)
        self._shared = (_SELECT,) if own_challenges else (_SELECT, _GET_CHALLENGE)
        self._answers: dict[bytes, bytes] = {}
        self._turn: _TillSide | None = None

    def till(self) -> CardConnection:
        """A connection for one more till."""
        return _TillSide(self)

    def pass_on(self, side: "_TillSide", apdu: bytes) -> bytes:
        """The card's answer, as if ``side`` had the card for itself."""
        if self._turn is not side and side.random:
            self.inner.transmit(side.random)
        self._turn = side
        if apdu[1] not in self._shared:
            return self.inner.transmit(apdu)
        if apdu not in self._answers:
            self._answers[apdu] = self.inner.transmit(apdu)
        return self._answers[apdu]


class _TillSide(Shim):
    """What one of two tills sees of the card."""

    def __init__(self, middle: TwoTills) -> None:
        super().__init__(middle)
        self._middle = middle
        self.random = b""

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == _GIVE_RANDOM:
            self.random = apdu
        return self._middle.pass_on(self, apdu)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


class AlteredAnswer(Shim):
    """Attack 7: a shim changes what the card says; what carries a MAC no longer fits it."""

    def __init__(
        self, inner: CardConnection, when: Trigger, change: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(inner)
        self._when, self._change = when, change

    def transmit(self, apdu: bytes) -> bytes:
        """The changed answer, status word included."""
        answer = self.inner.transmit(apdu)
        return self._change(answer) if self._when(apdu) else answer


class ForgedMap(Shim):
    """Attack 9: a shim changes the record map in EF.INFO, which nobody has signed."""

    def __init__(self, inner: CardConnection, record_map: int) -> None:
        super().__init__(inner)
        self._map = bytes((record_map,))

    def transmit(self, apdu: bytes) -> bytes:
        """EF.INFO with another map; all else as it is."""
        answer = self.inner.transmit(apdu)
        reads_info = apdu[1:3] == bytes((_READ_BINARY, 0x80 | EF_INFO.sfi))
        if reads_info and len(answer) == EF_INFO.size + 2:
            return answer[:16] + self._map + answer[17:]
        return answer


class WrongMac(AlteredAnswer):
    """Accident or attack: one bit of an answer's MAC is wrong; answers without one pass."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner, when, _with_wrong_mac)


class WrongCommandMac(Shim):
    """Accident or attack: one bit of a command's MAC is wrong when it reaches the card."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer to the changed command."""
        return self.inner.transmit(_with_wrong_command_mac(apdu) if self._when(apdu) else apdu)


class LongerAnswer(AlteredAnswer):
    """Accident or attack: two bytes more than were asked for or announced."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner, when, lambda answer: answer[:-2] + bytes(2) + answer[-2:])


class ShorterAnswer(AlteredAnswer):
    """Accident or attack: the last data byte is missing; an answer without data is one byte."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner, when, _shorter)


class Replayed(Shim):
    """Attack 1 in general: a command is answered with what the card said last time.

    Last time to a command with the same four header bytes; the command does not reach the
    card. Nothing recorded yet: the card answers.
    """

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when
        self._last: dict[bytes, bytes] = {}

    def transmit(self, apdu: bytes) -> bytes:
        """The recorded answer, or the card's."""
        if self._when(apdu) and apdu[:4] in self._last:
            return self._last[apdu[:4]]
        self._last[apdu[:4]] = answer = self.inner.transmit(apdu)
        return answer


def _with_wrong_mac(answer: bytes) -> bytes:
    at = len(answer) - 2 - _MAC_OBJECT_SIZE
    if at < 0 or answer[at : at + 2] != _MAC_HEAD:
        return answer
    return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]


def _with_wrong_command_mac(apdu: bytes) -> bytes:
    at = apdu.rfind(_MAC_HEAD)
    if at < 5 or len(apdu) < at + _MAC_OBJECT_SIZE:
        return apdu
    last = at + _MAC_OBJECT_SIZE - 1
    return apdu[:last] + bytes((apdu[last] ^ 1,)) + apdu[last + 1 :]


def _shorter(answer: bytes) -> bytes:
    return answer[:-3] + answer[-2:] if len(answer) > 2 else answer[:1]
