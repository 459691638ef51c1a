"""Which purse directory a till takes."""

from dataclasses import replace

import pytest

from cardlib.codec.apdu import Command
from cardlib.codec.purse import Info
from cardlib.dialogues.read import find_purse
from cardlib.dialogues.volley import converse
from cardlib.errors import PurseRefusedError
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.ids import TRAINING_ISSUER
from tests.unit.cardlib.test_module_rule import TERMINAL, GoldenRandom
from tests.unit.cardlib.test_purse_records import INFO

TRAINING = replace(INFO, issuer=TRAINING_ISSUER)
FOREIGN = replace(INFO, issuer=bytes.fromhex("058091"))
MASTERS = tuple(DebitMaster(info.issuer, info.key_set, bytes(32)) for info in (INFO, TRAINING))


class Directories:
    """A card with purse directories from B001 upwards; counts its commands."""

    def __init__(self, *infos: Info, services: bool = True) -> None:
        self.infos, self.services = infos, services
        self.current: Info | None = None
        self.commands = 0

    def transmit(self, apdu: bytes) -> bytes:
        self.commands += 1
        command = Command.decode(apdu)
        if command.ins == 0xB0 and self.current is not None:
            return bytes(self.current) + b"\x90\x00"
        if len(command.data) == 2:
            return b"\x90\x00" if self.services else b"\x6a\x82"
        number = int.from_bytes(command.data[2:], "big") - 0xB001
        if number >= len(self.infos):
            return b"\x6a\x82"
        self.current = self.infos[number]
        return b"\x90\x00"


def found(card: Directories, *, training: bool = False) -> tuple[int, Info]:
    module = SoftModule(KeyRing(TERMINAL, MASTERS), GoldenRandom())
    return converse(find_purse(module, training=training), card.transmit)


def test_the_first_served_purse_is_taken_at_two_commands_a_miss() -> None:
    card = Directories(FOREIGN, INFO)

    assert found(card) == (0xB002, INFO)
    assert card.commands == 4


def test_a_live_till_never_takes_a_training_purse_nor_the_other_way_round() -> None:
    assert found(Directories(TRAINING, INFO)) == (0xB002, INFO)
    assert found(Directories(INFO, TRAINING), training=True) == (0xB002, TRAINING)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (Directories(TRAINING), "PURSE_NOT_SERVED"),
        (Directories(FOREIGN), "PURSE_NOT_SERVED"),
        (Directories(), "PURSE_MISSING"),
        (Directories(services=False), "CARD_NOT_CRS"),
    ],
    ids=["training only", "another town's", "CRS without purse", "no CRS at all"],
)
def test_a_card_without_a_purse_for_us_is_refused_with_its_reason(
    card: Directories, code: str
) -> None:
    with pytest.raises(PurseRefusedError) as refused:
        found(card)

    assert refused.value.code == code
