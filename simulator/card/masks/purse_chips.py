"""The town's white card on other chips: one with a purse applet, one of an older make.

Fictitious, like the white card. Their pre-issuing data say so: "BUA" and "BUL" where the
white card has "BUO".
"""

from simulator.card.masks.registry import Mask, register
from simulator.card.masks.white import white_card
from simulator.card.traits import PurseKind, Traits

WHITE_APPLET = "white-applet"
WHITE_LEGACY = "white-legacy"
WHITE_APPLET_ATR = bytes.fromhex("3BFF1800FF8131FE55006B0209020001010142554110318097")
WHITE_LEGACY_ATR = bytes.fromhex("3BFF1800FF8131FE55006B0209020001010142554C1031809A")

register(
    Mask(
        name=WHITE_APPLET,
        about="the town's own card with a purse applet: the chip checks the arithmetic",
        atr=WHITE_APPLET_ATR,
        build=white_card(WHITE_APPLET, WHITE_APPLET_ATR),
        traits=Traits(purse=PurseKind.APPLET),
    )
)
register(
    Mask(
        name=WHITE_LEGACY,
        about="the town's own card on an older chip: one answer key, a challenge lost by a read",
        atr=WHITE_LEGACY_ATR,
        build=white_card(WHITE_LEGACY, WHITE_LEGACY_ATR),
        traits=Traits(purse=PurseKind.LEGACY),
    )
)
