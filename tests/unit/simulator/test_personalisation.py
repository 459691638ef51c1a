"""From a stock card to a purse, and everything that does not follow the profile."""

import json
from dataclasses import dataclass

import pytest

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.chip import Tear
from simulator.card.filesystem import LifeCycle
from simulator.card.masks import TRAINING_TRANSPORT_KEYS
from simulator.card.randomness import SeededRandomness
from simulator.card.store import MemoryStore
from tests.unit.simulator.host import (
    HOST_RANDOM,
    PIN,
    PUK,
    Host,
    aes_vectors,
    cryptogram,
    mac,
    padded,
    purse_keys,
    verify,
    white_card_memory,
)

INFO = bytes.fromhex(aes_vectors()["info"])
INIT = bytes.fromhex(aes_vectors()["spend_init"])
SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
SELECT_SERVICES = "00A4080C021200"
DIRECTORY = "6216820238FF8302B00185010186090000 00000000000000"
EF_INFO = "621C 80020011 820101 8302B101 850101 86090005FFFFFFFFFFFFFF 880108"
EF_GRANT = "6220 800202F8 82050201005F08 8302B102 850101 86090305FFFFFFFFFFFFFF 880110"
EF_SPEND = "6220 80020438 82050601003614 8302B103 850101 86090302FFFFFFFFFFFFFF 880118"
CREATE, PUT, UPDATE_INFO, APPEND, ACTIVATE = (
    "0CE00000",
    "0CDA016E",
    "0CD68100",
    "0CDC001B",
    "0C440000",
)
Step = tuple[str, bytes]


@dataclass
class Issuer(Host):
    """A host that knows the transport keys of the stock."""

    def __post_init__(self) -> None:
        self.keys = dict(TRAINING_TRANSPORT_KEYS)

    def start(self) -> None:
        self.expect(SELECT_SERVICES)
        self.exchange_randoms()

    def command(self, header: str, content: bytes) -> bytes:
        objects = b""
        if header == PUT:
            objects = cryptogram(self.keys[0x0C], self.challenge, content)
        elif header != ACTIVATE:
            objects = self.plain_object(content)
        return self.secured(header, objects, 0x0A)

    def do(self, header: str, content: bytes = b"", status: str = "9000") -> bytes:
        """One secured command under fresh randoms; its answer is checked."""
        answer = self.expect(self.command(header, content), status)
        if status == "9000":
            assert self.confirmed(answer, header, 0x0B)
        else:
            assert answer == b""
        self.exchange_randoms()
        return answer


def template(text: str) -> bytes:
    return bytes.fromhex(text)


def key_object(number: int, key: bytes) -> bytes:
    return bytes.fromhex(f"830220{number:02X}8501FF8F10") + key


def pin_object() -> bytes:
    return bytes.fromhex("8302001C8501038F08") + padded(PIN)


def puk_object() -> bytes:
    return bytes.fromhex("8302001D85010A8F08") + padded(PUK)


def steps() -> list[Step]:
    secrets = [(PUT, key_object(number, key)) for number, key in purse_keys().items()]
    return [
        (CREATE, template(DIRECTORY)),
        *secrets,
        (PUT, pin_object()),
        (PUT, puk_object()),
        *((CREATE, template(file)) for file in (EF_INFO, EF_GRANT, EF_SPEND)),
        (UPDATE_INFO, INFO),
        (APPEND, INIT),
        (ACTIVATE, b""),
    ]


@pytest.fixture
def issuer() -> Issuer:
    host = Issuer(VirtualCard(white_card_memory(), SeededRandomness("issuer")))
    host.start()
    return host


def run(issuer: Issuer, until: int | None = None) -> None:
    for header, content in steps()[:until]:
        issuer.do(header, content)


def as_shop(issuer: Issuer) -> Host:
    return Host(issuer.card)


def test_a_personalised_card_sells(issuer: Issuer) -> None:
    run(issuer)
    shop = as_shop(issuer)
    shop.open_purse()
    assert shop.expect("00B0810011") == INFO
    assert INIT in shop.expect("0CB2011C42")
    assert bytes(54) in shop.expect("0CB2021C42")
    assert bytes(95) in shop.expect("0CB208146B")
    assert shop.confirmed(shop.expect(shop.spend(SPEND_5)), "0CDC001B", 3)


def test_the_receipt_is_an_attested_read(issuer: Issuer) -> None:
    run(issuer)
    shop = as_shop(issuer)
    shop.select_purse()
    shop.exchange_randoms()
    shop.expect("002221B403830104")
    answer = shop.expect("0CB2011C42")
    header = bytes.fromhex("0CB2011C")
    assert answer.endswith(mac(purse_keys()[4], HOST_RANDOM, header, b"\x81\x36" + INIT))


def test_a_wrong_transport_key_makes_nothing(issuer: Issuer) -> None:
    issuer.keys[0x0A] = bytes(16)
    issuer.do(CREATE, template(DIRECTORY), "6988")
    assert issuer.status("00A4080C041200B001") == "6A82"


def test_the_new_directory_is_current_and_starts_without_randoms(issuer: Issuer) -> None:
    issuer.expect(issuer.command(CREATE, template(DIRECTORY)))
    assert issuer.status("0CB2011C42") == "6A82"
    issuer.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert issuer.status(issuer.command(CREATE, template(EF_INFO))) == "6985"


@pytest.mark.parametrize("done", range(1, len(steps())))
def test_an_unfinished_purse_is_not_there_and_is_made_anew(issuer: Issuer, done: int) -> None:
    run(issuer, until=done)
    assert issuer.status("00A4080C041200B001") == "6A82"
    issuer.start()
    run(issuer)
    shop = as_shop(issuer)
    shop.open_purse()
    shop.expect(shop.spend(SPEND_5))


@pytest.mark.parametrize("torn", range(len(steps())))
def test_a_personalisation_torn_in_any_write_starts_anew(torn: int) -> None:
    store = MemoryStore()
    card = VirtualCard(white_card_memory(), SeededRandomness("torn"), store)
    issuer = Issuer(card)
    issuer.start()
    run(issuer, until=torn)
    card.tear_next_write(Tear.NOTHING)
    assert card.transmit(issuer.command(*steps()[torn])) == b""
    card.power_on()
    issuer.start()
    run(issuer)
    again = Host(VirtualCard(image.decode(store.image), SeededRandomness("torn")))
    again.open_purse()


def test_directories_are_numbered_without_gaps(issuer: Issuer) -> None:
    second = template(DIRECTORY.replace("B001", "B002"))
    issuer.do(CREATE, second, "6A80")
    run(issuer, until=1)
    issuer.start()
    issuer.do(CREATE, second, "6A80")
    run(issuer)
    issuer.start()
    issuer.do(CREATE, template(DIRECTORY), "6A89")
    issuer.do(CREATE, template(DIRECTORY.replace("B001", "B003")), "6A80")
    issuer.do(CREATE, second)


def test_a_card_holds_fifteen_purses(issuer: Issuer) -> None:
    assert isinstance(issuer.card, VirtualCard)
    for number in range(1, 16):
        issuer.start()
        issuer.do(CREATE, template(DIRECTORY.replace("B001", f"B0{number:02X}")))
        services = issuer.card.memory.find((0x1200,))
        assert services is not None
        services.directories[-1].life = LifeCycle.OPERATIONAL
    issuer.start()
    issuer.do(CREATE, template(DIRECTORY.replace("B001", "B010")), "6A80")


@pytest.mark.parametrize(
    "wrong",
    [
        DIRECTORY.replace("B001", "C001"),
        DIRECTORY.replace("38FF", "3800"),
        DIRECTORY.replace("62", "6F", 1),
        EF_INFO,
        "",
        "6200",
        "6216",
        DIRECTORY + "00",
    ],
)
def test_another_directory_is_not_made(issuer: Issuer, wrong: str) -> None:
    issuer.do(CREATE, template(wrong), "6A80")


@pytest.mark.parametrize(
    "wrong",
    [
        EF_INFO.replace("0005", "0000"),
        EF_GRANT.replace("0305", "0005"),
        EF_SPEND.replace("0302", "0305"),
        EF_SPEND.replace("3614", "3613"),
        EF_SPEND.replace("0438", "0402"),
        EF_SPEND.replace("B103", "B104"),
        EF_GRANT.replace("880110", "880118"),
        DIRECTORY,
    ],
)
def test_a_file_that_is_not_the_profiles_is_not_made(issuer: Issuer, wrong: str) -> None:
    run(issuer, until=1)
    issuer.do(CREATE, template(wrong), "6A80")


def test_a_file_is_made_once(issuer: Issuer) -> None:
    run(issuer, until=1)
    issuer.do(CREATE, template(EF_INFO))
    issuer.do(CREATE, template(EF_INFO), "6A89")


@pytest.mark.parametrize(
    "wrong",
    [
        key_object(0x01, bytes(16)),
        key_object(0x0A, bytes(16)),
        key_object(0x02, bytes(16))[:-1],
        key_object(0x02, bytes(16)).replace(b"\x85\x01\xff", b"\x85\x01\x03"),
        pin_object().replace(b"\x85\x01\x03", b"\x85\x01\x0f"),
        pin_object().replace(b"\x00\x1c", b"\x00\x1d"),
        pin_object().replace(b"\x00\x1c", b"\x20\x1c"),
        puk_object()[:-1] + b"\xff",
        pin_object()[:-8] + b"1234\xff\xff\xff\xff",
        b"\x83\x02\x20\x02",
        b"",
    ],
)
def test_an_object_that_is_not_the_profiles_is_not_put(issuer: Issuer, wrong: bytes) -> None:
    run(issuer, until=1)
    issuer.do(PUT, wrong, "6A80")


def test_keys_in_clear_are_not_taken(issuer: Issuer) -> None:
    run(issuer, until=1)
    objects = issuer.plain_object(key_object(2, bytes(16)))
    assert issuer.status(issuer.secured(PUT, objects, 0x0A)) == "6988"


@pytest.mark.parametrize("left_out", [1, 8, 9, 10, 12, 14, 15])
def test_an_incomplete_purse_is_not_activated(issuer: Issuer, left_out: int) -> None:
    everything = steps()
    for header, content in everything[:left_out] + everything[left_out + 1 : -1]:
        issuer.do(header, content)
    issuer.do(ACTIVATE, b"", "6985")
    assert issuer.status("00A4080C041200B001") == "6A82"


@pytest.mark.parametrize("info", [INFO[:12] + b"\xc3" + INFO[13:], INFO[:12] + b"\xc7" + INFO[13:]])
def test_a_suite_that_the_chip_lacks_is_not_installed(issuer: Issuer, info: bytes) -> None:
    run(issuer, until=14)
    issuer.do(UPDATE_INFO, info, "6A80")


@pytest.mark.parametrize(
    ("header", "content"),
    [
        (CREATE, template(EF_INFO)),
        (PUT, pin_object()),
        (ACTIVATE, b""),
        (APPEND, SPEND_5),
        ("0CD68110", b"\x01"),
    ],
)
def test_transport_keys_open_no_finished_purse(issuer: Issuer, header: str, content: bytes) -> None:
    run(issuer)
    issuer.expect("00A4080C041200B001")
    issuer.exchange_randoms()
    issuer.expect(verify(PIN))
    assert issuer.status(issuer.command(header, content)) in ("6982", "6988")


@pytest.mark.parametrize("header", ["0CE00001", "0CDA016D", "0C440100", "0CD68101", "0CDC011B"])
def test_p1_p2_come_first(issuer: Issuer, header: str) -> None:
    run(issuer, until=15)
    assert issuer.status(header) == "6A86"


@pytest.mark.parametrize("ins", ["E0", "DA", "44"])
def test_nothing_is_created_in_clear(issuer: Issuer, ins: str) -> None:
    assert issuer.status(f"00{ins}0000") == "6982"


@pytest.mark.parametrize("place", ["00A4000C023F00", "00A4080C041200B001"])
def test_directories_are_made_in_the_services_directory_only(issuer: Issuer, place: str) -> None:
    run(issuer)
    issuer.expect(place)
    issuer.exchange_randoms()
    issuer.do(CREATE, template(DIRECTORY.replace("B001", "B002")), "6982")


def test_no_secret_object_leaves_in_an_answer(issuer: Issuer) -> None:
    heard = b""
    for header, content in steps():
        heard += issuer.do(header, content)
    for key in (*purse_keys().values(), *TRAINING_TRANSPORT_KEYS.values()):
        assert key not in heard


def test_the_image_tells_the_creation_state(issuer: Issuer) -> None:
    assert isinstance(issuer.card, VirtualCard)
    run(issuer, until=3)
    saved = json.loads(image.encode(issuer.card.memory))
    (purse,) = saved["mf"]["directories"][0]["directories"]
    assert purse["life"] == "creation"
