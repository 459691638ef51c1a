"""The two commands of an applet card: INITIALISE FOR DEBIT and DEBIT.

Pure layouts, big endian; docs/card-profile.md, *The applet card*. Instructions as on other
bank-made purses (50 and 54), contents ours.

INITIALISE ``80 50 00 00 08 random 00``, answered by 57 bytes and 6 for each slot::

    0   16  EF.INFO bytes 1 to 16 (its version is 01)
    16  5   challenge
    21      enciphered: type and slot mask 1 · ctr 3 · intent hash 8 ·
            for each slot in the mask: spent_total 3, live grant_seq 3 (0: none) ·
            terminal 3 · seq 3 · time 4 · day_spent 2 · prev 4
    end-8   MAC

DEBIT ``80 54 type mask Lc``: cents 3 for each slot in the mask · intent hash 8 · terminal 3 ·
seq 3 · time 4 · day_spent 2 · MAC 8, ``Le 10``; answered by MAC 8 and certificate 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from cardlib.codec.apdu import Command
from cardlib.codec.files import EF_INFO
from cardlib.codec.purse import INFO_VERSION, SLOTS, Info, Spend, SpendType
from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

CLA, INS_INITIALISE, INS_DEBIT = 0x80, 0x50, 0x54
RANDOM_SIZE = 8
CHALLENGE_SIZE = 5
CHALLENGE_PADDED = 8
"""A challenge stands in MACs as one of GET CHALLENGE does, padded right with 00."""
CODE_SIZE = 8
DEBIT_ANSWER_SIZE = 2 * CODE_SIZE
STATE_NONCE_TAG = b"\x49"
"""First byte of the counter block of the state; records at rest begin with other bytes."""
_TYPE_SHIFT = 6
_MASK = (1 << SLOTS) - 1
_WHAT = "applet"


def state_counter_block(challenge: bytes, random: bytes) -> bytes:
    """First AES-CTR block (16 bytes) under K_REC for the enciphered part of INITIALISE."""
    return STATE_NONCE_TAG + challenge + random + bytes(2)


def slots_of(mask: int) -> list[int]:
    """Slot numbers 1 to 6 of a mask, ascending."""
    return [slot for slot in range(1, SLOTS + 1) if mask >> (slot - 1) & 1]


def mask_of(slots: Mapping[int, int]) -> int:
    """Bit n-1 for each slot n."""
    return sum(1 << (slot - 1) for slot in slots)


@dataclass(frozen=True, slots=True)
class AppletState:
    """What INITIALISE says in its enciphered part: the newest record and the live grants.

    ``live`` is the highest grant_seq of each slot that has a grant; the card names a slot when
    it has one, or a total.
    """

    newest: Spend
    live: Mapping[int, int]

    def __bytes__(self) -> bytes:
        spend = self.newest
        named = {slot: total for slot, total in enumerate(spend.spent, 1) if total}
        slots = sorted({*named, *self.live})
        mask = sum(1 << (slot - 1) for slot in slots)
        return b"".join((
            bytes((spend.type << _TYPE_SHIFT | mask,)),
            spend.ctr.to_bytes(3, "big"),
            spend.intent_hash,
            *(_pair(spend.spent[slot - 1], self.live.get(slot, 0)) for slot in slots),
            spend.terminal.to_bytes(3, "big"),
            spend.seq.to_bytes(3, "big"),
            spend.time.to_bytes(4, "big"),
            spend.day_spent.to_bytes(2, "big"),
            spend.prev,
        ))  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads the enciphered part in clear; MalformedError for another shape."""
        reader = Reader(data, _WHAT)
        head, ctr, intent_hash = reader.uint(1), reader.uint(3), reader.take(8)
        if head >> _TYPE_SHIFT > SpendType.VOID:
            raise MalformedError(_WHAT, "unknown type")
        totals, live = [0] * SLOTS, {}
        for slot in slots_of(head & _MASK):
            totals[slot - 1], grant_seq = reader.uint(3), reader.uint(3)
            if grant_seq:
                live[slot] = grant_seq
        terminal, seq, time = reader.uint(3), reader.uint(3), reader.uint(4)
        day_spent, prev = reader.uint(2), reader.take(4)
        reader.end()
        s1, s2, s3, s4, s5, s6 = totals
        newest = Spend(
            SpendType(head >> _TYPE_SHIFT), ctr, intent_hash, (s1, s2, s3, s4, s5, s6),
            terminal, seq, time, day_spent, prev,
        )  # fmt: skip
        return cls(newest, live)


@dataclass(frozen=True, slots=True)
class InitialiseAnswer:
    """The answer as it comes, **unverified**: ``state`` is still enciphered."""

    info: Info
    challenge: bytes
    state: bytes
    code: bytes

    @property
    def covered(self) -> bytes:
        """What the MAC is over, beside random and header."""
        return bytes(self.info)[1:] + self.challenge + self.state

    def __bytes__(self) -> bytes:
        return self.covered + self.code

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Splits an answer; PurseRefusedError for an EF.INFO that this code must not guess."""
        reader = Reader(data, _WHAT)
        info = Info.decode(bytes((INFO_VERSION,)) + reader.take(EF_INFO.size - 1))
        challenge = reader.take(CHALLENGE_SIZE)
        state = reader.take(max(0, reader.remaining - CODE_SIZE))
        code = reader.take(CODE_SIZE)
        reader.end()
        return cls(info, challenge, state, code)


@dataclass(frozen=True, slots=True)
class DebitOrder:
    """What DEBIT carries: the cents of each slot, and what a card cannot know."""

    type: SpendType
    cents: Mapping[int, int]
    intent_hash: bytes
    terminal: int
    seq: int
    time: int
    day_spent: int

    def __bytes__(self) -> bytes:
        return b"".join((
            *(self.cents[slot].to_bytes(3, "big") for slot in sorted(self.cents)),
            self.intent_hash,
            self.terminal.to_bytes(3, "big"),
            self.seq.to_bytes(3, "big"),
            self.time.to_bytes(4, "big"),
            self.day_spent.to_bytes(2, "big"),
        ))  # fmt: skip

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2 of its command."""
        return bytes((CLA, INS_DEBIT, self.type, mask_of(self.cents)))

    def command(self, code: bytes) -> Command:
        """DEBIT with its MAC."""
        cla, ins, p1, p2 = self.header
        return Command(cla, ins, p1, p2, bytes(self) + code, DEBIT_ANSWER_SIZE)

    @classmethod
    def decode(cls, command: Command) -> tuple[Self, bytes]:
        """Order and MAC of a command whose P1 and P2 are right; MalformedError for its data."""
        reader = Reader(command.data, _WHAT)
        cents = {slot: reader.uint(3) for slot in slots_of(command.p2)}
        order = cls(
            SpendType(command.p1), cents, reader.take(8),
            reader.uint(3), reader.uint(3), reader.uint(4), reader.uint(2),
        )  # fmt: skip
        code = reader.take(CODE_SIZE)
        reader.end()
        return order, code


def is_debit_header(p1: int, p2: int) -> bool:
    """Whether P1 is sale or void, and P2 names slots, and slots only."""
    return p1 in (SpendType.SALE, SpendType.VOID) and 0 < p2 <= _MASK


def initialise(random: bytes) -> Command:
    """INITIALISE FOR DEBIT over the host's eight random bytes."""
    return Command(CLA, INS_INITIALISE, 0, 0, random, 256)


def _pair(total: int, grant_seq: int) -> bytes:
    return total.to_bytes(3, "big") + grant_seq.to_bytes(3, "big")
