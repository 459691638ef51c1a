"""Suite 2 from the card's side: the published conversations, and keys that are single DES."""

from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from simulator.card.card import VirtualCard
from simulator.card.crypto import SUITES
from simulator.card.filesystem import Memory
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from tests.unit.simulator.host import HOST_RANDOM, PIN, PUK, Host, vectors, white_card_memory
from tests.unit.simulator.test_personalisation import (
    ACTIVATE,
    PUT,
    UPDATE_INFO,
    Issuer,
    steps,
)
from tests.unit.simulator.test_protocol_vectors import Scripted, play

TDEA: dict[str, Any] = vectors()["suites"]["2tdea"]
SUITE = SUITES[2]
OK = "9000"
HALF, OTHER_PARITY = bytes.fromhex("1032547698badcfe"), bytes.fromhex("1133557799bbddff")


def keys() -> dict[int, bytes]:
    order = ("debit/cmd", "debit/rsp", "attest", "load/cmd", "load/rsp")
    known = {number: bytes.fromhex(TDEA["keys"][name]) for number, name in enumerate(order, 2)}
    return known | {number: bytes(range(number, number + 16)) for number in (7, 8, 9)}


def memory() -> Memory:
    made = white_card_memory()
    add_purse(
        made,
        info=bytes.fromhex(TDEA["info"]),
        keys=keys(),
        pin=PIN,
        puk=PUK,
        spends=[bytes.fromhex(TDEA["spend_4"]), bytes.fromhex(TDEA["spend_init"])],
        grants={1: bytes.fromhex(TDEA["grant_record"])},
    )
    return made


class LegacyHost(Host):
    """A host of a suite 2 purse; the card's own crypto is checked by the vectors."""

    def change_key(self, reference: int, content: bytes) -> bytes:
        header = bytes((0x9C, 0x24, 0x00, 0x80 | reference))
        cipher = encipher(self.keys[9], self.challenge, content)
        objects = bytes((0x87, len(cipher) + 1, 0x01)) + cipher
        covered = self.challenge + header + bytes.fromhex("80000000") + objects
        body = objects + b"\x8e\x08" + SUITE.mac(self.keys[7], covered)
        return header + bytes((len(body),)) + body + b"\x00"


def encipher(key: bytes, challenge: bytes, plain: bytes) -> bytes:
    cipher = TripleDES(key + key[:8])
    vector = Cipher(cipher, modes.ECB()).encryptor().update(challenge)
    padded = plain + b"\x80" + bytes(-(len(plain) + 1) % 8)
    return Cipher(cipher, modes.CBC(vector)).encryptor().update(padded)


def host() -> LegacyHost:
    return LegacyHost(VirtualCard(memory(), SeededRandomness("legacy")), keys())


def test_sale_is_answered_as_published() -> None:
    card = VirtualCard(memory(), Scripted(vectors()["inputs"]["rnd_ic"]))
    play(card, TDEA["sale"])


def test_load_writes_are_answered_as_published() -> None:
    load = vectors()["inputs"]["load"]
    challenges = (load[name] for name in ("rnd_ic_grant", "rnd_ic_zero", "rnd_ic_map"))
    card = VirtualCard(memory(), Scripted(*challenges))
    assert card.transmit(bytes.fromhex("00a4080c041200b001")).hex() == "9000"
    play(card, TDEA["load_writes"])


def test_a_sale_has_the_same_lengths_as_in_suite_1() -> None:
    aes = vectors()["suites"]["aes-128"]["sale"]
    lengths = [(len(step["command"]), len(step["response"])) for step in TDEA["sale"]]
    assert lengths == [(len(step["command"]), len(step["response"])) for step in aes]


def test_a_key_is_changed_and_answers_from_then_on() -> None:
    legacy = host()
    legacy.select_purse()
    legacy.exchange_randoms()
    new = bytes(range(40, 56))
    legacy.expect(legacy.change_key(0x03, new))

    legacy.select_purse()
    legacy.exchange_randoms()
    answer = legacy.expect("0CB2011C42")
    covered = HOST_RANDOM + bytes.fromhex("0CB2011C80000000") + answer[:56]
    assert answer[58:] == SUITE.mac(new, covered)


@pytest.mark.parametrize("weak", [HALF + HALF, HALF + OTHER_PARITY])
def test_a_key_that_is_single_des_is_not_taken(weak: bytes) -> None:
    legacy = host()
    legacy.select_purse()
    legacy.exchange_randoms()

    assert legacy.status(legacy.change_key(0x02, weak)) == "6A80"

    legacy.select_purse()
    legacy.exchange_randoms()
    legacy.expect(legacy.change_key(0x02, HALF + HALF[::-1]))


def key_object(reference: int, key: bytes) -> bytes:
    return bytes((0x83, 2, 0x20, reference, 0x85, 1, 0xFF, 0x8F, 16)) + key


def of_suite(header: str, content: bytes, suite: int) -> bytes:
    """What a step writes, with EF.INFO naming ``suite``."""
    if header != UPDATE_INFO:
        return content
    return content[:12] + bytes((content[12] & 0xF0 | suite,)) + content[13:]


@pytest.mark.parametrize(("suite", "status"), [(1, "9000"), (2, "6A80")])
def test_a_purse_of_suite_2_is_not_activated_with_single_des(suite: int, status: str) -> None:
    issuer = Issuer(VirtualCard(white_card_memory(), SeededRandomness("stock")))
    issuer.start()
    for header, content in steps():
        if header == UPDATE_INFO:
            issuer.do(PUT, key_object(0x05, HALF + OTHER_PARITY))
        issuer.do(header, of_suite(header, content, suite), status if header == ACTIVATE else OK)


def test_a_key_that_is_single_des_is_refused_once_the_suite_is_named() -> None:
    issuer = Issuer(VirtualCard(white_card_memory(), SeededRandomness("stock")))
    issuer.start()
    for header, content in steps():
        if header == ACTIVATE:
            break
        issuer.do(header, of_suite(header, content, 2))
    issuer.do(PUT, key_object(0x05, HALF + OTHER_PARITY), "6A80")
    issuer.do(PUT, key_object(0x05, HALF + HALF[::-1]))
