"""The town's own card: EF.GDO and the services directory, for people without a CNS."""

from cardlib.codec.files import MF
from simulator.card.access import FREE
from simulator.card.chip import Randomness
from simulator.card.filesystem import Directory, Memory
from simulator.card.masks.parts import chip_number, serial_number, services
from simulator.card.masks.registry import Build, Mask, register
from simulator.card.personal import Holder

WHITE = "white"
WHITE_ATR = bytes.fromhex("3BFF1800FF8131FE55006B0209020001010142554F10318099")
"""Ours: as a CRS, with "BUO" where that says "CNS", so that nobody takes it for one."""
_PREFIX = "9380"


def white_card(name: str, atr: bytes) -> Build:
    """The builder of a white card that calls itself ``name``: for its kin too."""

    def build(randomness: Randomness, _holder: Holder, transport_keys: dict[int, bytes]) -> Memory:
        serial = serial_number(_PREFIX, randomness)
        mf = Directory(
            MF, FREE, files=[chip_number(serial)], directories=[services(transport_keys)]
        )
        return Memory(name, serial, atr, mf)

    return build


register(
    Mask(
        name=WHITE,
        about="the town's own card: EF.GDO and the services directory",
        atr=WHITE_ATR,
        build=white_card(WHITE, WHITE_ATR),
    )
)
