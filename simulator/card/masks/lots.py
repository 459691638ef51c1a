"""The CNS lots whose answers to reset are public, each with its ways.

Source of every ATR: ``smartcard_list.txt`` of pcsc-tools. What a mask does in its own
way beyond the ATR is docs/card-profile.md's table, most of it unverified.
"""

from simulator.card.masks.cns import CnsCard
from simulator.card.masks.registry import Mask, register
from simulator.card.traits import CnsVersion, Traits

CRS_STINCARD = "crs-stincard"
PCSC_TOOLS = "pcsc-tools, smartcard_list.txt"


def _lot(name: str, about: str, atr: str, traits: Traits) -> Mask:
    version = traits.cns
    assert version is not None
    card = CnsCard(name, bytes.fromhex(atr), version)
    return register(Mask(name, about, card.atr, card, traits, PCSC_TOOLS))


CRS_ATR = _lot(
    CRS_STINCARD,
    "CRS of Lombardy, STIncard mask, RSA-1024, CNS 1.0",
    "3BFF1800FF8131FE55006B02090200011101434E531031808F",
    Traits(cns=CnsVersion.V1_0),
).atr
"""A Lombardy CRS in the field: T=1, IFSC 254, "CNS", version 1.0."""
