"""The probe: what it finds out, and above all what it leaves as it was."""

from collections.abc import Callable

import pytest

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.dialogues.probe import Reply, Report, Writing, probe_card
from cardlib.dialogues.probe.answers import ForbiddenCommandError, only_reads
from cardlib.dialogues.probe.probing import NEVER_ASKED, catalogue
from cardlib.dialogues.volley import Dialogue, send
from cardlib.errors import CardGoneError
from cardlib.keys import training as published
from cardlib.trace import Exchange
from cardlib.wire.ed25519 import SigningKey
from simulator import training
from simulator.card import image
from simulator.card.access import Pin as PinObject
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    CRS_STINCARD,
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    make_card,
)
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim, TearBefore, nth
from simulator.training import TrainingWallet, add_training_purse
from tests.unit.simulator.host import purse_memory

READING_INS = {"A4", "B0", "B2", "84", "86", "22"}
Wrap = Callable[[CardConnection], CardConnection]


def stock(mask: str = WHITE) -> Memory:
    return make_card(mask, SeededRandomness("probe"), Holder(), TRAINING_TRANSPORT_KEYS)


def training_memory(mask: str = WHITE) -> Memory:
    memory = stock(mask)
    add_training_purse(memory, [TrainingWallet(50_00)], SeededRandomness("training"))
    return memory


def probed(
    memory: Memory, writing: Writing | None = None, wrap: Wrap | None = None
) -> tuple[Report, list[Exchange]]:
    seen: list[Exchange] = []
    connection: CardConnection = InProcessConnection(VirtualCard(memory, SeededRandomness("chip")))
    channel = Channel(connection if wrap is None else wrap(connection), seen.append)
    return channel.run(probe_card(writing)), seen


def not_asked(report: Report) -> dict[str, str]:
    """Reasons by question."""
    return {item.question: item.detail for item in report.answers if item.reply is Reply.NOT_ASKED}


def test_a_purse_of_a_real_issuer_is_only_read_and_not_one_byte_changes() -> None:
    memory = purse_memory()  # issuer of the vectors: a real one
    before = image.encode(memory)
    report, seen = probed(memory, Writing())
    assert report.purse == "live"
    assert image.encode(memory) == before
    assert {f"{item.command[1]:02X}" for item in seen} <= READING_INS
    assert report["mse_chooses_answer_key"].reply is Reply.YES
    assert set(not_asked(report).values()) == {"live_purse", "impossible", "COMMAND_TOO_LONG"}


def test_no_pin_try_is_lost_on_any_card() -> None:
    for memory in (purse_memory(), stock(CRS_STINCARD), training_memory()):
        tries = [pin.tries_left for pin in all_pins(memory)]
        probed(memory, Writing())
        assert [pin.tries_left for pin in all_pins(memory)] == tries


def test_a_training_purse_without_a_persons_word_is_only_read() -> None:
    memory = training_memory()
    before = image.encode(memory)
    report, seen = probed(memory)
    assert image.encode(memory) == before
    assert {f"{item.command[1]:02X}" for item in seen} <= READING_INS | {"20", "16", "FC"}
    assert all(len(item.command) <= 5 for item in seen if item.command[1] == 0x20), "a PIN was sent"
    assert not_asked(report)["ring_turns"] == "not_confirmed"


def test_the_simulated_chip_is_what_the_profile_says() -> None:
    """Every question is asked but those that cannot be."""
    report, _ = probed(training_memory(CRS_STINCARD), Writing())
    assert report.purse == "training"
    assert set(not_asked(report)) == {*NEVER_ASKED, "extended_length"}
    denied = {item.question for item in report.answers if item.reply is Reply.NO}
    # No INCREASE, and the maker's list of another maker: as the profile has it.
    assert denied == {
        "give_random_cla_00", "increase_present", "decrease_present", "listing_8016",
    }  # fmt: skip


def test_the_ring_of_a_training_purse_turns_by_one_and_its_totals_stay() -> None:
    memory = training_memory()
    report, _ = probed(memory, Writing())
    assert report["ring_turns"].reply is Reply.YES
    again, _ = probed(memory, Writing())
    assert again["ring_turns"].reply is Reply.YES


def test_a_wrong_training_pin_is_tried_once_and_said() -> None:
    report, seen = probed(training_memory(), Writing(Pin("99999")))
    assert report["ring_turns"].detail == "63C2"
    assert sum(item.command[1] == 0x20 and len(item.command) > 5 for item in seen) == 1


def test_keys_of_somebodys_own_are_noticed() -> None:
    memory = stock()
    add_training_purse(memory, [TrainingWallet(50_00)], SeededRandomness("training"))
    directory = memory.find((0x1200, 0xB001))
    assert directory is not None
    directory.keys[3] = bytes(16)
    report, _ = probed(memory, Writing())
    assert not_asked(report)["ring_turns"] == "other_keys"
    assert report["challenge_outlives_read"].reply is Reply.YES, "this needs no key"


class FixedKey(Shim):
    """A chip whose answer key cannot be chosen, though it does not mind being told to."""

    def transmit(self, apdu: bytes) -> bytes:
        return bytes.fromhex("9000") if apdu[1] == 0x22 else super().transmit(apdu)


def test_a_second_purse_of_a_real_issuer_bars_the_training_purse_too() -> None:
    memory = training_memory()
    live = purse_memory().find((0x1200, 0xB001))
    services = memory.find((0x1200,))
    assert live is not None
    assert services is not None
    live.fid = 0xB002
    services.directories.append(live)
    before = image.encode(memory)
    report, seen = probed(memory, Writing())
    assert report.purse == "live"
    assert {f"{item.command[1]:02X}" for item in seen} <= READING_INS
    assert image.encode(memory) == before


def test_a_purse_that_nobody_understands_counts_as_somebodys_money() -> None:
    memory = purse_memory(info="02" + "00" * 16)
    report, seen = probed(memory, Writing())
    assert report.purse == "live"
    assert {f"{item.command[1]:02X}" for item in seen} <= READING_INS


def test_a_chip_with_a_fixed_answer_key_is_found_out() -> None:
    report, _ = probed(purse_memory(), wrap=FixedKey)
    assert report["mse_chooses_answer_key"].reply is Reply.NO


class SpendsRandom(Shim):
    """A chip that uses up the host random with each answer."""

    def __init__(self, inner: CardConnection) -> None:
        super().__init__(inner)
        self._given = False

    def transmit(self, apdu: bytes) -> bytes:
        given, self._given = self._given, apdu[1] == 0x86
        if apdu[1] == 0xB2 and apdu[0] == 0x0C and not given:
            return bytes.fromhex("6985")
        return super().transmit(apdu)


def test_a_chip_that_uses_up_the_random_is_found_out() -> None:
    report, _ = probed(purse_memory(), wrap=SpendsRandom)
    assert report["random_serves_several_answers"].reply is Reply.NO
    assert report["read_with_mac"].reply is Reply.YES


class CountsQuestions(Shim):
    """A chip that takes an empty VERIFY for a wrong PIN."""

    left = 3

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] != 0x20:
            return super().transmit(apdu)
        self.left -= 1
        return bytes((0x63, 0xC0 | self.left))


def test_a_chip_that_counts_the_question_is_not_asked_again() -> None:
    report, seen = probed(stock(CRS_STINCARD), wrap=CountsQuestions)
    assert sum(item.command[1] == 0x20 for item in seen) == 2
    assert report["tries_told_90"].detail == "63C2, 63C1"
    assert not_asked(report)["tries_told_10"] == "asking_costs"
    assert report["listing_b0fc"].reply is Reply.YES


def test_the_last_try_of_a_pin_is_never_what_a_question_costs() -> None:
    class OneWrongAlready(CountsQuestions):
        left = 2

    report, seen = probed(stock(CRS_STINCARD), wrap=OneWrongAlready)
    assert [item.answer for item in seen if item.command[1] == 0x20] == [b"\x63\xc1"]
    assert report["tries_told_90"].detail == "63C1"
    assert not_asked(report)["tries_told_10"] == "asking_costs"


@pytest.mark.parametrize("mask", ["generic-t0", "crs-athena", "cns-infocamere-11", "tscns-toscana"])
def test_masks_are_told_apart(mask: str) -> None:
    """T=0, file control information in 62, long commands, the end of a file."""
    report, _ = probed(stock(mask))
    assert report["select_gives_fcp"].detail[:2] == ("62" if mask in FCP_MASKS else "6F")
    denied = report["end_of_file_6282"].reply is Reply.NO
    assert denied == (mask in (*FCP_MASKS, "generic-t0")), "T=0 says 6Cxx and then 9000"
    long = report["extended_length"].reply
    assert (long is Reply.YES) == (mask == "cns-infocamere-11")


FCP_MASKS = ("crs-athena", "tscns-toscana")


def test_a_card_without_a_purse_is_asked_what_it_can_answer() -> None:
    report, _ = probed(stock(CRS_STINCARD), Writing())
    assert report.purse == "none"
    assert report["select_gives_fcp"].reply is Reply.YES
    assert not_asked(report)["short_file_ids"] == "no_purse"


@pytest.mark.parametrize("at", [1, 4, 30])
def test_a_card_that_goes_away_leaves_what_it_said(at: int) -> None:
    if at == 1:
        with pytest.raises(CardGoneError):
            probed(purse_memory(), wrap=lambda inner: TearBefore(inner, nth(at)))
        return
    report, _ = probed(purse_memory(), wrap=lambda inner: TearBefore(inner, nth(at)))
    assert report["card_stayed"].reply is Reply.NO
    assert "card_gone" in not_asked(report).values()


@pytest.mark.parametrize("apdu", ["00D6810001AA", "0020009C083132333435FFFFFF", "0CDC001B", "00E0"])
def test_a_question_that_would_write_is_stopped_before_it_is_sent(apdu: str) -> None:
    command = Command.decode(bytes.fromhex(apdu.ljust(8, "0")))

    def question() -> Dialogue[None]:
        yield from send(command)

    with pytest.raises(ForbiddenCommandError):
        next(only_reads(question(), no_money=True))


def test_every_question_has_one_name() -> None:
    names = [name for _, name, _ in catalogue()]
    assert len(names) == len(set(names)) > 30


def test_the_published_keys_are_those_of_the_simulators_training_purses() -> None:
    assert published.TRAINING_MASTERS == training.MASTERS
    assert published.TRAINING_PIN == training.PIN
    assert SigningKey(published.TRAINING_GRANT_SEED).public == training.ISSUER_KEY.public


def all_pins(memory: Memory) -> list[PinObject]:
    return [pin for directory in memory.mf.walk() for pin in directory.pins.values()]
