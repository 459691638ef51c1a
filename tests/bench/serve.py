"""One card in one slot, in a process of its own, until its input ends: ``KIND PORT``."""

import sys

from cardlib.connection import CardConnection
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.vpcd import VirtualReader
from tests.bench import vicc

SIZE = 128
"""Bytes of one READ BINARY, of a file of at least four times as many."""


class Stub(Shim):
    """Answers every command with the same bytes: the limit of this path."""

    def transmit(self, apdu: bytes) -> bytes:  # noqa: ARG002 - whatever was asked
        return bytes(SIZE) + b"\x90\x00"


def _crs() -> CardConnection:
    """Its certificate is the file that most programs read."""
    randomness = SeededRandomness("bench")
    memory = make_card(CRS_STINCARD, randomness, Holder(), TRAINING_TRANSPORT_KEYS)
    return InProcessConnection(VirtualCard(memory, randomness))


def card(kind: str) -> CardConnection:
    """``ours``, ``stub`` or ``vicc``."""
    if kind == "vicc":
        return vicc.ViccCard(bytes(4 * SIZE))
    return Stub(_crs()) if kind == "stub" else _crs()


if __name__ == "__main__":
    with VirtualReader(card(sys.argv[1]), ("127.0.0.1", int(sys.argv[2]))):
        sys.stdin.read()
