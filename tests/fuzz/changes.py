"""One change to a command: grammar-aware, so that most of what follows still makes sense."""

from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[Random, bytes], bytes]
KNOWN_INS = bytes.fromhex(
    "0408 0E20 2224 2A2C 4446 70 82 84 86 88 A4 B0 B2 C0 C2 CA D0 D2 D6 DA DC E0 E2 E4"
)
KNOWN_CLA = bytes.fromhex("00 0C 80 8C 90 9C 10 01 03 04 40 C0 FF 1C")
LENGTHS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 54, 95, 127, 128, 129, 254, 255)
TAGS = bytes.fromhex("81 85 87 8E 97 99 80 82 83 84 86 88 8F 62 6F 00 FF")


def changed(random: Random, apdu: bytes) -> bytes:
    """The command with one thing about it different."""
    return random.choice(_CHANGES)(random, apdu)


def made_up(random: Random) -> bytes:
    """A command from nowhere, often of an instruction that exists."""
    ins = random.choice(KNOWN_INS) if random.random() < 0.8 else random.randrange(256)
    cla = random.choice(KNOWN_CLA) if random.random() < 0.8 else random.randrange(256)
    p1, p2 = (
        random.choice((0, 1, 2, 3, 4, 8, 0x1B, 0x81, 0x9C, random.randrange(256))) for _ in "12"
    )
    data = random.randbytes(random.choice(LENGTHS))
    return frame(random, bytes((cla, ins, p1, p2)), data)


def frame(random: Random, header: bytes, data: bytes) -> bytes:
    """Header and data in a form of ISO/IEC 7816-3, 12.1: short, extended, with Le or not."""
    le = random.choice((b"", b"\x00", bytes((random.randrange(256),))))
    if len(data) > 255 or random.random() < 0.1:
        body = b"\x00" + len(data).to_bytes(2, "big") + data if data else b""
        tail = random.choice((b"", random.randbytes(2))) if data else b"\x00" + random.randbytes(2)
        return header + body + tail
    return header + (bytes((len(data),)) + data if data else b"") + le


def random_bytes(random: Random) -> bytes:
    """Not even a command, most of the time."""
    return random.randbytes(random.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 255, 261, 300)))


def _bit(random: Random, apdu: bytes) -> bytes:
    if not apdu:
        return b"\x01"
    at = random.randrange(len(apdu))
    return apdu[:at] + bytes((apdu[at] ^ 1 << random.randrange(8),)) + apdu[at + 1 :]


def _byte(random: Random, apdu: bytes) -> bytes:
    if not apdu:
        return b"\x00"
    at = random.randrange(len(apdu))
    value = random.choice((0, 1, 0x7F, 0x80, 0x81, 0xFE, 0xFF, random.randrange(256)))
    return apdu[:at] + bytes((value,)) + apdu[at + 1 :]


def _class(random: Random, apdu: bytes) -> bytes:
    return bytes((random.choice(KNOWN_CLA),)) + apdu[1:]


def _instruction(random: Random, apdu: bytes) -> bytes:
    return apdu[:1] + bytes((random.choice(KNOWN_INS),)) + apdu[2:]


def _parameters(random: Random, apdu: bytes) -> bytes:
    at = random.choice((2, 3))
    return apdu[:at] + bytes((random.randrange(256),)) + apdu[at + 1 :]


def _cut(random: Random, apdu: bytes) -> bytes:
    return apdu[: random.randrange(len(apdu) + 1)]


def _longer(random: Random, apdu: bytes) -> bytes:
    return apdu + random.randbytes(random.choice((1, 2, 3, 8, 200)))


def _other_data(random: Random, apdu: bytes) -> bytes:
    return frame(random, apdu[:4].ljust(4, b"\x00"), random.randbytes(random.choice(LENGTHS)))


def _extended(random: Random, apdu: bytes) -> bytes:
    """The same command in the extended form, or an extended Le in place of the short one."""
    if len(apdu) <= 5:
        return apdu[:4] + b"\x00" + random.choice((b"\x00" + apdu[4:5], random.randbytes(2)))
    count = apdu[4]
    data, tail = apdu[5 : 5 + count], apdu[5 + count :]
    le = b"\x00" + tail if tail and tail != b"\x00" else b"\x01\x00" if tail else b""
    return apdu[:4] + b"\x00" + count.to_bytes(2, "big") + data + le


def _objects(random: Random, apdu: bytes) -> bytes:
    """Another data object in front of, between or behind those of secure messaging."""
    count = apdu[4] if len(apdu) > 5 else 0
    data = apdu[5 : 5 + count]
    value = random.randbytes(random.choice((0, 1, 2, 8)))
    more = bytes((random.choice(TAGS), len(value))) + value
    at = random.choice((0, len(data), max(0, len(data) - 10)))
    return frame(random, apdu[:4].ljust(4, b"\x00"), (data[:at] + more + data[at:])[:255])


_CHANGES: Sequence[Change] = (
    _bit, _byte, _class, _instruction, _parameters, _cut, _longer, _other_data, _extended, _objects,
)  # fmt: skip
