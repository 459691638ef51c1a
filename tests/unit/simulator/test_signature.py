"""The holder's RSA key: who may use it, and that its signatures are right."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from cardlib.codec.apdu import Command, Response
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.card.rsa import generate_rsa_key
from tests.unit.simulator.host import Host, host_of, verify

DIGEST_INFO = bytes.fromhex("3021300906052B0E03021A05000414") + b"\x11" * 20
RESTORE, SET_RAW, SET_SIGN = "0022F303", "0022F1B803830101", "0022F1B603830101"


@pytest.fixture(scope="module")
def card() -> VirtualCard:
    memory = make_card(CRS_STINCARD, SeededRandomness(3), Holder(), TRAINING_TRANSPORT_KEYS)
    assert isinstance(host_of(memory).card, VirtualCard)
    return VirtualCard(memory, SeededRandomness("crs"))


@pytest.fixture
def crs(card: VirtualCard) -> Host:
    card.reset()
    return Host(card)


@pytest.fixture(scope="module")
def public(card: VirtualCard) -> RSAPublicKey:
    key = load_der_private_key(card.memory.mf.rsa_keys[1], None).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def padded_block() -> bytes:
    return b"\x00\x01".ljust(128 - len(DIGEST_INFO) - 1, b"\xff") + b"\x00" + DIGEST_INFO


def raw(block: bytes) -> bytes:
    return bytes(Command(0x00, 0x2A, 0x80, 0x86, b"\x00" + block, 256))


def sign(digest_info: bytes) -> bytes:
    return bytes(Command(0x00, 0x2A, 0x9E, 0x9A, digest_info, 128))


def opened(signature: bytes, public: RSAPublicKey) -> bytes:
    numbers = public.public_numbers()
    value = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n)
    return value.to_bytes(128, "big")


def ready(crs: Host) -> None:
    crs.expect(verify("12345", "90"))
    crs.expect(RESTORE)
    crs.expect(SET_RAW)
    crs.expect(SET_SIGN)


def test_a_block_padded_by_the_host_is_raised_to_the_key(crs: Host, public: RSAPublicKey) -> None:
    ready(crs)
    assert opened(crs.expect(raw(padded_block())), public) == padded_block()


def test_a_digest_is_padded_by_the_card(crs: Host, public: RSAPublicKey) -> None:
    ready(crs)
    assert opened(crs.expect(sign(DIGEST_INFO)), public) == padded_block()


@pytest.mark.parametrize("reference", ["10", "90"])
def test_both_names_of_the_pin_open_the_key(crs: Host, reference: str) -> None:
    crs.expect(verify("12345", reference))
    crs.expect(RESTORE + "00")
    crs.expect(SET_RAW)
    crs.expect(raw(padded_block()))


def test_without_the_pin_nothing_is_signed(crs: Host) -> None:
    crs.expect(RESTORE)
    crs.expect(SET_RAW)
    assert crs.status(raw(padded_block())) == "6982"


def test_the_environment_is_restored_first(crs: Host) -> None:
    crs.expect(verify("12345", "90"))
    assert crs.status(raw(padded_block())) == "6985"
    crs.expect(RESTORE)
    assert crs.status(raw(padded_block())) == "6985"
    crs.expect(SET_SIGN)
    assert crs.status(raw(padded_block())) == "6985"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (raw(b"\xff" * 128), "6A80"),
        (raw(bytes(127)), "6700"),
        (bytes(Command(0x00, 0x2A, 0x80, 0x86, b"\x01" + bytes(128), 256)), "6700"),
        (bytes(Command(0x00, 0x2A, 0x80, 0x86, bytes(129))), "6700"),
        (sign(bytes(118)), "6700"),
        (bytes(Command(0x00, 0x2A, 0x80, 0x84, bytes(20), 256)), "6A86"),
    ],
)
def test_blocks_that_cannot_be_signed_are_refused(crs: Host, command: bytes, status: str) -> None:
    ready(crs)
    assert crs.status(command) == status


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0022F304", "6A88"),
        ("0022F30301AA", "6700"),
        ("0022F1B803830102", "6A88"),
        ("0022F1B4038301 01", "6A86"),
    ],
)
def test_environments_and_keys_that_are_not_there(crs: Host, command: str, status: str) -> None:
    assert crs.status(command) == status


def test_the_cns_pin_is_changed_and_unblocked(card: VirtualCard) -> None:
    memory = make_card(CRS_STINCARD, SeededRandomness(4), Holder(), TRAINING_TRANSPORT_KEYS)
    crs = Host(VirtualCard(memory, SeededRandomness("crs")))
    old, new, puk = b"12345\xff\xff\xff", b"54321\xff\xff\xff", b"87654321"
    crs.expect(bytes.fromhex("0024009010") + old + new)
    for left in ("63C2", "63C1", "63C0"):
        assert crs.status(verify("12345", "10")) == left
    assert crs.status(verify("54321", "10")) == "6983"
    crs.expect(bytes.fromhex("002C009010") + puk + old)
    crs.expect(verify("12345", "10"))


def test_the_same_seed_makes_the_same_key() -> None:
    one, two, other = (generate_rsa_key(512 * 2, SeededRandomness(seed)) for seed in (1, 1, 2))
    assert one.private_numbers() == two.private_numbers() != other.private_numbers()
    assert one.key_size == 1024


def test_opensc_probes_are_turned_away_without_disturbing_the_selection(crs: Host) -> None:
    crs.expect("00A4080C021000")
    probes = ["00A4040007627601FF000000", "00A4040009A00000000101", "00CADF3005", "00A4080002 2F00"]
    for probe in probes:
        assert Response.decode(crs.card.transmit(bytes.fromhex(probe))).status != 0x9000
    crs.expect("00A4000C021003")
