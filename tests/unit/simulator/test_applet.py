"""The applet's two commands byte by byte, against the layouts of docs/card-profile.md.

Nothing of cardlib's codec or keys is used: offsets, MACs and ciphers are written out again.
"""

from hashlib import sha256
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    TRAINING_TRANSPORT_KEYS,
    WHITE_APPLET,
    make_card,
)
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from tests.unit.simulator.host import (
    HOST_RANDOM,
    PIN,
    PUK,
    Host,
    aes_vectors,
    host_of,
    mac,
    purse_keys,
    purse_memory,
    verify,
)

RECORD_KEY = bytes.fromhex(aes_vectors()["keys"]["debit/rec"])
INITIALISE = b"\x80\x50\x00\x00\x08" + HOST_RANDOM + b"\x00"
INTENT_HASH = bytes.fromhex("A1A2A3A4A5A6A7A8")
TERMINAL, SEQ, TIME = bytes.fromhex("0001F6"), bytes.fromhex("000007"), bytes.fromhex("6A600000")


def applet_memory() -> Memory:
    """The vectors' purse on an applet chip, which also holds K_REC."""
    suite = aes_vectors()
    memory = make_card(WHITE_APPLET, SeededRandomness("tests"), Holder(), TRAINING_TRANSPORT_KEYS)
    add_purse(
        memory, info=bytes.fromhex(suite["info"]), keys={1: RECORD_KEY, **purse_keys()},
        pin=PIN, puk=PUK,
        spends=[bytes.fromhex(suite["spend_4"]), bytes.fromhex(suite["spend_init"])],
        grants={1: bytes.fromhex(suite["grant_record"])},
    )  # fmt: skip
    return memory


@pytest.fixture
def host() -> Host:
    host = host_of(applet_memory())
    host.select_purse()
    return host


def opened(record: bytes) -> bytes:
    """The 46 clear bytes of an EF.SPEND record."""
    nonce = record[:12]
    return nonce + AESCCM(RECORD_KEY, 8).decrypt(nonce, record[12:], None)


def sealed(clear: bytes) -> bytes:
    nonce = clear[:12]
    return nonce + AESCCM(RECORD_KEY, 8).encrypt(nonce, clear[12:], None)


def deciphered(answer: bytes) -> bytes:
    block = b"\x49" + answer[16:21] + HOST_RANDOM + b"\x00\x00"
    decryptor = Cipher(algorithms.AES128(RECORD_KEY), modes.CTR(block)).decryptor()
    return decryptor.update(answer[21:-8]) + decryptor.finalize()


def newest(host: Host) -> bytes:
    card = host.card
    assert isinstance(card, VirtualCard)
    directory = card.memory.find((0x1200, 0xB001))
    assert directory is not None
    file = directory.file(0xB103)
    assert file is not None
    return file.records[0]


def after(host: Host, cents: int) -> bytes:
    """The record that a sale of ``cents`` in slot 1 makes, sealed."""
    record = newest(host)
    clear = opened(record)
    total = int.from_bytes(clear[12:15], "big") + cents
    ctr = int.from_bytes(clear[1:4], "big") + 1
    return sealed(
        b"\x01" + ctr.to_bytes(3, "big") + INTENT_HASH + total.to_bytes(3, "big") + clear[15:30]
        + TERMINAL + SEQ + TIME + b"\x00\x05" + sha256(record).digest()[:4]
    )  # fmt: skip


def debit(host: Host, challenge: bytes, cents: int = 5, p1p2: str = "0101") -> bytes:
    """A whole DEBIT of slot 1."""
    head = bytes.fromhex("8054" + p1p2)
    record = after(host, cents)
    code = mac(host.keys[2], challenge + bytes(3), head, b"\x81\x36" + record)
    data = cents.to_bytes(3, "big") + INTENT_HASH + TERMINAL + SEQ + TIME + b"\x00\x05" + code
    return head + bytes((len(data),)) + data + b"\x10"


def ready(host: Host) -> bytes:
    """INITIALISE and VERIFY; the challenge."""
    challenge = host.expect(INITIALISE)[16:21]
    host.expect(verify(PIN))
    return challenge


def test_initialise_answers_info_challenge_enciphered_state_and_mac(host: Host) -> None:
    answer = host.expect(INITIALISE)
    clear = opened(newest(host))

    assert len(answer) == 63
    assert b"\x01" + answer[:16] == bytes.fromhex(aes_vectors()["info"])
    assert deciphered(answer) == (
        bytes((clear[0] << 6 | 1,)) + clear[1:12] + clear[12:15]
        + bytes.fromhex(aes_vectors()["grant_record"])[1:4] + clear[30:46]
    )  # fmt: skip
    assert answer[-8:] == mac(host.keys[3], HOST_RANDOM, INITIALISE[:4], answer[:-8])


def test_debit_writes_the_record_and_answers_proof_and_certificate(host: Host) -> None:
    challenge = ready(host)
    expected = after(host, 5)
    command = debit(host, challenge)

    answer = host.expect(command)

    certificate = mac(host.keys[4], HOST_RANDOM, bytes.fromhex("0CB2011C"), b"\x81\x36" + expected)
    covered = b"\x81\x36" + expected + b"\x8e\x08" + certificate
    assert newest(host) == expected
    assert answer == mac(host.keys[3], HOST_RANDOM, command[:4], covered) + certificate


def test_an_attested_read_over_the_same_random_gives_the_same_certificate(host: Host) -> None:
    answer = host.expect(debit(host, ready(host)))
    host.expect("002221B403830104")

    read = host.expect("0CB2011C42")

    assert read[-8:] == answer[8:]


def test_a_challenge_serves_one_debit_even_a_bad_one(host: Host) -> None:
    challenge = ready(host)
    good = debit(host, challenge)

    assert host.status(good[:-2] + bytes((good[-2] ^ 1,)) + good[-1:]) == "6988"
    assert host.status(good) == "6985"


@pytest.mark.parametrize(
    "apdu",
    ["8054", "80540101", "805401011F", "8054010101", "8054030100", "8054014000"],
    ids=["cut", "no data", "cut data", "too short", "type 3", "slot 7"],
)
def test_a_malformed_debit_takes_the_challenge_too(host: Host, apdu: str) -> None:
    challenge = ready(host)
    good = debit(host, challenge)
    host.send(apdu)

    assert host.status(good) == "6985"


@pytest.mark.parametrize("between", ["0084000008", "00A4080C041200B001"])
def test_a_new_challenge_and_a_new_selection_end_the_old_one(host: Host, between: str) -> None:
    good = debit(host, ready(host))
    host.expect(between)

    assert host.status(good) == "6985"


def test_a_challenge_of_initialise_serves_no_other_write(host: Host) -> None:
    host.challenge = host.expect(INITIALISE)[16:21]

    assert host.status(host.grant(2, bytes(95))) == "6985"


def test_the_record_file_takes_no_update_record(host: Host) -> None:
    host.open_purse()

    assert host.status(host.spend(after(host, 5))) == "6982"


@pytest.mark.parametrize(
    ("p1p2", "status"),
    [("0001", "6A86"), ("0301", "6A86"), ("0100", "6A86"), ("0140", "6A86"), ("0103", "6700")],
)
def test_parameters_and_lengths_are_checked_first(host: Host, p1p2: str, status: str) -> None:
    challenge = ready(host)

    assert host.status(debit(host, challenge, p1p2=p1p2)) == status


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("80500100080000000000000000" + "00", "6A86"),
        ("8050000007000000000000" + "0000", "6700"),
        ("80500000080000000000000000", "6700"),
        ("80500000080000000000000000" + "20", "6C3F"),
    ],
)
def test_initialise_wants_its_parameters_and_room_for_the_answer(
    host: Host, apdu: str, status: str
) -> None:
    assert host.status(apdu) == status


def test_a_debit_with_no_room_for_its_answer_is_not_made(host: Host) -> None:
    before, command = newest(host), debit(host, ready(host))

    assert host.status(command[:-1] + b"\x0f") == "6700"
    assert newest(host) == before


def test_outside_a_purse_there_is_nothing_to_initialise() -> None:
    host = host_of(applet_memory())

    assert host.status(INITIALISE) == "6985"


def test_a_file_card_knows_neither_command() -> None:
    host = host_of(purse_memory())
    host.select_purse()

    assert (host.status(INITIALISE), host.status(b"\x80\x54\x01\x01")) == ("6D00", "6D00")


def test_an_applet_at_the_end_of_its_counter_stops(host: Host) -> None:
    card = host.card
    assert isinstance(card, VirtualCard)
    directory = card.memory.find((0x1200, 0xB001))
    assert directory is not None
    file = directory.file(0xB103)
    assert file is not None
    clear = opened(file.records[0])
    file.records[0] = sealed(clear[:1] + b"\xff\xff\xff" + clear[4:])
    challenge = ready(host)
    data = bytes(3) + INTENT_HASH + TERMINAL + SEQ + TIME + bytes(2) + bytes(8)

    assert host.status(b"\x80\x54\x01\x01" + bytes((len(data),)) + data + b"\x10") == "6988"
    assert challenge


def test_the_keys_of_an_applet_purse_are_not_changed(host: Host) -> None:
    """Its records could be sealed anew by nobody else: such a card is replaced."""
    host.open_purse()

    assert host.status("9C240082") == "6A81"


def test_whatever_is_sent_is_answered_and_nothing_but_the_debit_writes() -> None:
    """300 insertions, ten commands each: cut, changed or made up; seeded."""
    random = Random("applet")
    memory = image.encode(applet_memory())
    for _ in range(300):
        host = host_of(image.decode(memory), seed=str(random.random()))
        host.select_purse()
        good = debit(host, ready(host))
        before = newest(host)
        for _ in range(10):
            spoilt = _spoilt(random, good if random.random() < 0.7 else INITIALISE)
            status = host.status(spoilt)
            assert status != "6F00", spoilt.hex()
            assert newest(host) == before, spoilt.hex()


def _spoilt(random: Random, command: bytes) -> bytes:
    place = random.randrange(len(command))
    match random.randrange(4):
        case 0:
            return command[:place]
        case 1:
            return command[:4] + random.randbytes(random.randrange(40))
        case 2:
            return command[:2] + random.randbytes(2) + command[4:-1] + b"\xff"
        case _:
            octet = command[place] ^ (1 << random.randrange(8))
            # Le may ask for more than there is: that changes nothing about the debit.
            changed = command[:place] + bytes((octet,)) + command[place + 1 :]
            return changed if place < len(command) - 1 else command[:-1] + b"\x0f"
