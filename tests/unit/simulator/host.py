"""A host that talks to the virtual card byte by byte, without cardlib's keys.

The card's own crypto is checked against the vectors; this only needs to agree with them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from cardlib.codec.apdu import Response
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.card.store import MemoryStore

VECTORS = Path(__file__).parents[2] / "vectors" / "protocol-vectors.json"
HOST_RANDOM = bytes.fromhex("0102030405060708")
PIN, PUK, WRONG_PIN = "12345", "12345678", "99999"


def vectors() -> dict[str, Any]:
    """The protocol vectors."""
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


def aes_vectors() -> dict[str, Any]:
    """Those of suite 1."""
    suite: dict[str, Any] = vectors()["suites"]["aes-128"]
    return suite


def purse_keys() -> dict[int, bytes]:
    """The vectors' keys by id; the administration keys, which they lack, are made up."""
    named = aes_vectors()["keys"]
    order = ("debit/cmd", "debit/rsp", "attest", "load/cmd", "load/rsp")
    keys = {number: bytes.fromhex(named[name]) for number, name in enumerate(order, 2)}
    return keys | {number: bytes((number,)) * 16 for number in (7, 8, 9)}


def white_card_memory() -> Memory:
    return make_card(WHITE, SeededRandomness("tests"), Holder(), TRAINING_TRANSPORT_KEYS)


def purse_memory(*, info: str | None = None) -> Memory:
    """A white card with the vectors' purse: spend_4 over spend_init, the grant in record 1."""
    suite = aes_vectors()
    memory = white_card_memory()
    add_purse(
        memory,
        info=bytes.fromhex(info or suite["info"]),
        keys=purse_keys(),
        pin=PIN,
        puk=PUK,
        spends=[bytes.fromhex(suite["spend_4"]), bytes.fromhex(suite["spend_init"])],
        grants={1: bytes.fromhex(suite["grant_record"])},
    )
    return memory


def padded(digits: str) -> bytes:
    return digits.encode().ljust(8, b"\xff")


def mac(key: bytes, random: bytes, header: bytes, objects: bytes) -> bytes:
    cmac = CMAC(algorithms.AES128(key))
    cmac.update(random + header + bytes.fromhex("80000000") + objects)
    return cmac.finalize()[:8]


def cryptogram(key: bytes, challenge: bytes, plain: bytes) -> bytes:
    """``87 L 01 c`` under AES-CBC, IV = E(K, challenge ‖ 00…), padding method 2."""
    block = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()
    vector = block.update(challenge.ljust(16, b"\x00"))
    full = plain + b"\x80" + bytes(-(len(plain) + 1) % 16)
    cbc = Cipher(algorithms.AES128(key), modes.CBC(vector)).encryptor()
    value = b"\x01" + cbc.update(full)
    return bytes((0x87, len(value))) + value


class Transmits(Protocol):
    """What a host needs of a card or of a connection to one."""

    def transmit(self, apdu: bytes, /) -> bytes: ...


@dataclass
class Host:
    """Sends commands to a card and keeps the randoms of both sides."""

    card: Transmits
    keys: dict[int, bytes] = field(default_factory=purse_keys)
    challenge: bytes = bytes(8)

    def send(self, apdu: str | bytes) -> Response:
        raw = bytes.fromhex(apdu) if isinstance(apdu, str) else apdu
        return Response.decode(self.card.transmit(raw))

    def status(self, apdu: str | bytes) -> str:
        return f"{self.send(apdu).status:04X}"

    def expect(self, apdu: str | bytes, status: str = "9000") -> bytes:
        answer = self.send(apdu)
        assert f"{answer.status:04X}" == status
        return answer.data

    def select_purse(self, directory: str = "B001") -> None:
        self.expect(f"00A4080C041200{directory}")

    def exchange_randoms(self) -> None:
        self.challenge = self.expect("0084000008")
        self.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)

    def open_purse(self) -> None:
        """SELECT, challenge and random, PIN."""
        self.select_purse()
        self.exchange_randoms()
        self.expect(verify(PIN))

    def secured(self, header: str, objects: bytes, key: int) -> bytes:
        """A secured write over the last challenge, MACed under key ``key``."""
        head = bytes.fromhex(header)
        code = mac(self.keys[key], self.challenge, head, objects)
        body = objects + b"\x8e\x08" + code
        return head + bytes((len(body),)) + body + b"\x00"

    def plain_object(self, content: bytes) -> bytes:
        return bytes((0x81, len(content))) + content

    def spend(self, record: bytes) -> bytes:
        return self.secured("0CDC001B", self.plain_object(record), 2)

    def grant(self, number: int, record: bytes) -> bytes:
        return self.secured(f"0CDC{number:02X}14", self.plain_object(record), 5)

    def confirmed(self, answer: bytes, header: str, key: int) -> bool:
        """Whether ``99 02 9000 8E 08 mac`` is right under key ``key``."""
        status = bytes.fromhex("99029000")
        code = mac(self.keys[key], HOST_RANDOM, bytes.fromhex(header), status)
        return answer == status + b"\x8e\x08" + code


def verify(pin: str, reference: str = "9C") -> bytes:
    return bytes.fromhex(f"002000{reference}08") + padded(pin)


def host_of(memory: Memory, seed: str = "challenges") -> Host:
    return Host(VirtualCard(memory, SeededRandomness(seed), MemoryStore()))
