"""A T=0 card of our own invention: no such card was ever issued by anybody.

The files of a CNS behind the protocol that no listed CNS lot speaks, so that readers and
programs can be tried with it. Its manufacturer bytes are FF FF: nobody's.
"""

from cardlib.codec.atr import TransmissionProtocol
from simulator.card.masks.cns import CnsCard
from simulator.card.masks.registry import Mask, register
from simulator.card.traits import CnsVersion, Traits

GENERIC_T0 = "generic-t0"
GENERIC_T0_ATR = bytes.fromhex("3B1F18006BFFFF0000010101434E53103180")
"""TA1 = 18 and no TD1: T=0 alone, hence no check byte; "CNS", version 1.0."""

register(
    Mask(
        name=GENERIC_T0,
        about="fictitious: a CNS that speaks T=0, RSA-1024; no such card exists",
        atr=GENERIC_T0_ATR,
        build=CnsCard(GENERIC_T0, GENERIC_T0_ATR, CnsVersion.V1_0),
        traits=Traits(protocol=TransmissionProtocol.T0, cns=CnsVersion.V1_0),
    )
)
