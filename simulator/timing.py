"""How long a command takes: the line, exactly as ISO 7816-3 has it, and the chip, assumed.

The line: one bit lasts an etu, F/D clock cycles; a character is 10 of them and a guard
time; T=1 wraps 4 bytes around each block and waits 22 etu when the direction turns; T=0
sends five bytes, waits for a procedure byte, and answers with a status word (ISO/IEC
7816-3:2006, 7.2, 8.3, 10.2, 11.2 and 11.4.3; tables 7 and 8 for F and D). At 3.5712 MHz
372/1 gives 9,600 bit/s and 372/12, which TA1 = 18 offers, gives 115,200.

The chip: no maker of CNS chips publishes times, so :class:`ChipTimes` are assumptions
[U], of the size that data sheets of memory cards give for EEPROM (ST1305, CryptoMemory:
about 5 ms a write). USB and the reader's own delays are left out [U].

A model only computes. :class:`Timed` waits through a clock: the machine's, or a virtual
one that only moves on.
"""

from dataclasses import dataclass
from math import ceil

from cardlib.codec.apdu import Response
from cardlib.codec.atr import IFSC_DEFAULT, Atr, TransmissionProtocol
from cardlib.codec.status import Status
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, MalformedError
from cardlib.ports import Clock
from simulator.faults.shim import Shim

CLOCK_HZ = 3_571_200
"""At which 372 clock cycles a bit are 9,600 bit/s."""
SLOW_BIT_RATE, FAST_BIT_RATE = 9_600, 115_200
IFSD = 254
"""Bytes that readers take in one block, after S(IFS request); without one it would be 32."""
_F = {0: 372, 1: 372, 2: 558, 3: 744, 4: 1116, 5: 1488, 6: 1860,
      9: 512, 10: 768, 11: 1024, 12: 1536, 13: 2048}  # fmt: skip
_D = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}
_CHARACTER_ETU, _SHORTEST_T1_ETU = 12, 11
_NO_EXTRA_GUARD = 255
_TURN_ETU = {TransmissionProtocol.T0: 16, TransmissionProtocol.T1: 22}
_BLOCK_OVERHEAD = 4
"""NAD, PCB, LEN and one byte of LRC; an R-block is nothing else."""
_T0_HEADER, _PROCEDURE, _STATUS = 5, 1, 2


@dataclass(frozen=True, slots=True)
class Line:
    """One interface: protocol, bits a second, etu a character, block sizes in bytes."""

    protocol: TransmissionProtocol
    bit_rate: float
    character_etu: int
    ifsc: int
    ifsd: int = IFSD

    @classmethod
    def of(cls, atr: bytes, bit_rate: float | None = None, clock_hz: int = CLOCK_HZ) -> "Line":
        """The line that an ATR asks for; by default at the fastest rate that it offers.

        An ATR that is none is taken for a plain T=1 card at 9,600 bit/s.
        """
        try:
            decoded = Atr.decode(atr)
        except MalformedError:
            rate = bit_rate or SLOW_BIT_RATE
            return cls(TransmissionProtocol.T1, rate, _CHARACTER_ETU, IFSC_DEFAULT)
        rate = bit_rate or offered_bit_rate(decoded, clock_hz)
        return cls(decoded.protocol, rate, _character_etu(decoded), decoded.ifsc)

    def ms(self, command: bytes, answer: bytes) -> float:
        """Milliseconds of one command APDU (one TPDU with T=0) and its answer on the line."""
        etu = self._t0(command, answer) if self._is_t0 else self._t1(command, answer)
        return etu * 1000 / self.bit_rate

    @property
    def _is_t0(self) -> bool:
        return self.protocol is TransmissionProtocol.T0

    @property
    def _turn(self) -> int:
        """What a change of direction costs beyond the character before it."""
        return _TURN_ETU[self.protocol] - self.character_etu

    def _t1(self, command: bytes, answer: bytes) -> int:
        there, back = _blocks(len(command), self.ifsc), _blocks(len(answer), self.ifsd)
        acknowledgements = there + back - 2
        count = len(command) + len(answer) + _BLOCK_OVERHEAD * (there + back + acknowledgements)
        return count * self.character_etu + 2 * (1 + acknowledgements) * self._turn

    def _t0(self, command: bytes, answer: bytes) -> int:
        brought = max(0, len(command) - _T0_HEADER)
        fetched = max(0, len(answer) - _STATUS)
        count = _T0_HEADER + _STATUS + brought + fetched
        if not brought and not fetched:
            return count * self.character_etu + 2 * self._turn
        # The procedure byte comes before data; data to the card turns the line twice more.
        turns = 4 if brought else 2
        return (count + _PROCEDURE) * self.character_etu + turns * self._turn


def offered_bit_rate(atr: Atr, clock_hz: int = CLOCK_HZ) -> float:
    """Bits a second by TA1, which a reader may choose after PPS; without TA1 F = 372, D = 1."""
    ta1 = atr.groups[0].ta if atr.groups else None
    if ta1 is None or ta1 >> 4 not in _F or ta1 & 0x0F not in _D:
        return clock_hz / 372
    return clock_hz * _D[ta1 & 0x0F] / _F[ta1 >> 4]


def _character_etu(atr: Atr) -> int:
    extra = (atr.groups[0].tc if atr.groups else None) or 0
    if extra != _NO_EXTRA_GUARD:
        return _CHARACTER_ETU + extra
    return _CHARACTER_ETU if atr.protocol is TransmissionProtocol.T0 else _SHORTEST_T1_ETU


def _blocks(size: int, limit: int) -> int:
    return max(1, ceil(size / limit))


@dataclass(frozen=True, slots=True)
class ChipTimes:
    """What the chip needs, in milliseconds. All assumed [U]; replace them by measured ones."""

    command_ms: float = 1.0
    """Every command: decoding, access conditions, the file."""
    page_ms: float = 5.0
    """Erasing and writing one page of EEPROM."""
    mac_ms: float = 4.0
    """One MAC over a record, made or checked."""
    rsa_ms: float = 250.0
    """One RSA-1024 signature."""


_WORK = {
    # instruction: MACs, pages, RSA operations
    0x20: (0, 2, 0),  # the try is counted before the PIN is compared, and given back after
    0x24: (0, 2, 0),
    0x2C: (0, 2, 0),
    0x2A: (0, 0, 1),
    0x50: (1, 0, 0),
    0x54: (3, 2, 0),  # the command's, the answer's, the certificate; record and ring
    0x88: (1, 0, 0),
    0xB2: (1, 0, 0),
    0xD6: (2, 1, 0),
    0xDC: (2, 2, 0),  # record and ring
}
_PLAIN_READ = bytes((0x00, 0xB2))


@dataclass(frozen=True, slots=True)
class TimingModel:
    """A line and a chip."""

    line: Line
    chip: ChipTimes = ChipTimes()

    def ms(self, command: bytes, answer: bytes) -> float:
        """Milliseconds from the first bit of a command to the last of its answer."""
        return self.line.ms(command, answer) + self._chip_ms(command, answer)

    def _chip_ms(self, command: bytes, answer: bytes) -> float:
        macs, pages, rsa = _WORK.get(command[1], (0, 0, 0)) if len(command) > 1 else (0, 0, 0)
        if command[:2] == _PLAIN_READ:
            macs = 0
        if not _done(answer):
            pages = rsa = 0
        chip = self.chip
        return chip.command_ms + macs * chip.mac_ms + pages * chip.page_ms + rsa * chip.rsa_ms


def _done(answer: bytes) -> bool:
    if len(answer) < 2:
        return False
    status = Response.decode(answer).status
    return status == Status.OK or status >> 8 == 0x61


class Timed(Shim):
    """A card that takes the time that a model says, waited through ``clock``.

    ``spent_ms`` is what it has taken so far. Without a model it is that of the card's ATR.
    """

    def __init__(
        self, inner: CardConnection, clock: Clock, model: TimingModel | None = None
    ) -> None:
        super().__init__(inner)
        self._clock = clock
        self._model = model or TimingModel(Line.of(inner.atr))
        self.spent_ms = 0.0

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer, when its time has passed; a lost one has cost the way there."""
        try:
            answer = self.inner.transmit(apdu)
        except CardGoneError:
            self._pass(apdu, b"")
            raise
        self._pass(apdu, answer)
        return answer

    def _pass(self, apdu: bytes, answer: bytes) -> None:
        ms = self._model.ms(apdu, answer)
        self.spent_ms += ms
        self._clock.sleep(ms / 1000)


class VirtualClock:
    """Time that passes only where somebody waits: a ``cardlib.ports.Clock``."""

    def __init__(self, unix_ms: int = 1_780_000_000_000) -> None:
        self._start_ms = unix_ms
        self._passed_ms = 0.0

    @property
    def boot_id(self) -> bytes:
        """Always the same."""
        return bytes(8)

    def unix_ms(self) -> int:
        """Where it was set, and what has passed."""
        return self._start_ms + round(self._passed_ms)

    def monotonic_ms(self) -> int:
        """What has passed."""
        return round(self._passed_ms)

    def sleep(self, seconds: float) -> None:
        """Moves on at once."""
        self._passed_ms += seconds * 1000
