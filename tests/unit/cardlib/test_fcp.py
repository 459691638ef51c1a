"""File control information: of every mask, and none that a card may rightly send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.fcp import FileControl
from cardlib.codec.files import DF_SYSTEM, EF_ID_CARTA, Path, path_bytes
from cardlib.errors import CardlibError, MalformedError
from simulator.card.card import VirtualCard
from simulator.card.masks import MASKS
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from tests.unit.simulator.mask_cards import memory_of

CNS_MASKS = [name for name, mask in MASKS.items() if mask.traits.cns]


def described(mask: str, path: Path) -> FileControl:
    card = VirtualCard(memory_of(mask), SeededRandomness("fcp"))
    channel = Channel(InProcessConnection(card))
    answer = channel.send(Command(0x00, 0xA4, 0x08, 0x00, path_bytes(path), 256))
    return FileControl.decode(answer.data)


@pytest.mark.parametrize("mask", CNS_MASKS)
def test_the_same_file_is_understood_on_every_mask(mask: str) -> None:
    file = described(mask, EF_ID_CARTA)
    assert (file.fid, file.size, file.is_directory) == (0x1003, 16, False)
    assert file.access == bytes.fromhex("00FFFFFFFFFFFFFFFF")
    directory = described(mask, (DF_SYSTEM,))
    assert (directory.fid, directory.is_directory, directory.access) == (0x1000, True, bytes(9))


def test_the_minimal_answer_that_opensc_takes() -> None:
    file = FileControl.decode(
        bytes.fromhex("6F19 8002 0010 820101 8302 1003 850101 8609 00FFFFFFFFFFFFFFFF")
    )
    assert (file.template, file.size, file.descriptor, file.sfi) == (0x6F, 16, 1, None)
    assert file.tags == (0x80, 0x82, 0x83, 0x85, 0x86)


def test_a_short_id_is_the_high_five_bits() -> None:
    assert FileControl.decode(bytes.fromhex("6203880118")).sfi == 3
    assert FileControl.decode(bytes.fromhex("62028800")).sfi is None


@pytest.mark.parametrize(
    "absurd",
    [
        "", "62", "6281", "62FF", "6284FFFFFFFF", "620280", "6F0A8004FFFFFFFF8302",
        "6F0583033F0000", "00" * 300, "6F8200028A0000", "6400", "62006F00",
        "620680010183013F", "6206800101800102", "620C800A" + "FF" * 10, "620C860A" + "00" * 10,
        "62028200", "6203880119", "6F048002FFFF00",
    ],
)  # fmt: skip
def test_an_absurd_one_is_a_named_error(absurd: str) -> None:
    with pytest.raises(MalformedError):
        FileControl.decode(bytes.fromhex(absurd))


def test_one_that_holds_itself_a_hundred_times_is_read_one_level_deep() -> None:
    nested = b""
    for _ in range(60):
        nested = b"\x62" + bytes((len(nested),)) + nested
    assert FileControl.decode(nested).tags == (0x62,)


WRAPPED = st.binary(max_size=60).map(lambda inner: bytes((0x62, len(inner))) + inner)


@given(st.one_of(st.binary(max_size=64), WRAPPED))
def test_nothing_but_a_named_error_comes_of_random_bytes(data: bytes) -> None:
    try:
        found = FileControl.decode(data)
    except CardlibError:
        return
    assert found.access is None or len(found.access) == 9
    assert found.sfi is None or 1 <= found.sfi <= 31
