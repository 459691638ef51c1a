"""Cards as they leave the factory: CNS lots, the town's white card, and kin of both.

``registry`` says what a mask is and holds them by name; ``lots`` are CNS cards whose
ATRs are public, ``white`` the town's own. All carry three transport keys in 3F00/1200
and no purse yet. The traits that a mask names are ``simulator.card.traits``.
"""

from simulator.card.masks.cns import CNS_PIN, CNS_PUK, SIGNATURE_KEY
from simulator.card.masks.lots import CRS_ATR, CRS_STINCARD
from simulator.card.masks.parts import (
    TRAINING_TRANSPORT_KEYS,
    TRANSPORT_KEYS,
    random_transport_keys,
)
from simulator.card.masks.purse_chips import (
    WHITE_APPLET,
    WHITE_APPLET_ATR,
    WHITE_LEGACY,
    WHITE_LEGACY_ATR,
)
from simulator.card.masks.registry import (
    MASKS,
    Mask,
    is_cns,
    make_card,
    mask_named,
    register,
    traits_of,
)
from simulator.card.masks.t0 import GENERIC_T0, GENERIC_T0_ATR
from simulator.card.masks.white import WHITE, WHITE_ATR

__all__ = [
    "CNS_PIN",
    "CNS_PUK",
    "CRS_ATR",
    "CRS_STINCARD",
    "GENERIC_T0",
    "GENERIC_T0_ATR",
    "MASKS",
    "SIGNATURE_KEY",
    "TRAINING_TRANSPORT_KEYS",
    "TRANSPORT_KEYS",
    "WHITE",
    "WHITE_APPLET",
    "WHITE_APPLET_ATR",
    "WHITE_ATR",
    "WHITE_LEGACY",
    "WHITE_LEGACY_ATR",
    "Mask",
    "is_cns",
    "make_card",
    "mask_named",
    "random_transport_keys",
    "register",
    "traits_of",
]
