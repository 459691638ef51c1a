"""Attack 2: a card without the purse's keys, that asks a real card to make MACs for it.

What EF.INFO, EF.GRANT and EF.SPEND say can be read by anybody; the fake holds the same bytes.
The real card is asked for MACs over bytes of the attacker's choice by EXTERNAL and INTERNAL
AUTHENTICATE, which its purse does not have.
"""

from cardlib.codec.apdu import Command
from cardlib.codec.commands import INS_UPDATE_RECORD, select_purse
from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES
from cardlib.codec.status import Status
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.faults import AlteredAnswer, every
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.till_attack import Scene, TillAttack

_ORACLES = (0x82, 0x88)
"""EXTERNAL and INTERNAL AUTHENTICATE (ISO/IEC 7816-4, 11.5)."""
_KEYS_TRIED = range(2, 10)
_WRITTEN = bytes.fromhex("9902 9000 8E08") + bytes(8) + b"\x90\x00"
"""What a card answers to a write, with a MAC that the fake cannot make."""
_PIN, _PIN_ID = b"12345\xff\xff\xff", 0x1C


class FakeCard(TillAttack):
    """A programmable card, and somebody's real one for a minute."""

    name = "fake card"
    expectation = Expectation(
        source="PROTOCOL 1.2", claim=Claim.STOPPED,
        seen_by="6D00 at the chip, CARD_MAC_BAD at the till",
        refused_by=(frozenset({"6D00", "CARD_MAC_BAD"}),),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Asks the oracle, then buys with what there is."""
        self._ask(scene)
        memory = image.decode(image.encode(scene.citizen.card.memory))
        purse = memory.find((DF_SERVICES, DF_BUONO_FIRST))
        assert purse is not None
        for number in purse.keys:
            purse.keys[number] = scene.town.randomness.bytes(16)
        purse.pins[_PIN_ID].replace(_PIN)
        fake = VirtualCard(memory, scene.town.randomness, without_image=True)
        holder = scene.citizen.with_pin(_PIN.rstrip(b"\xff").decode())
        line = AlteredAnswer(
            InProcessConnection(fake), every(INS_UPDATE_RECORD), lambda _answer: _WRITTEN
        )
        self.tally.gain += self.buy(scene, line, citizen=holder)

    def _ask(self, scene: Scene) -> None:
        line = scene.citizen.line()
        line.transmit(bytes(select_purse(DF_BUONO_FIRST)))
        for instruction in _ORACLES:
            for key in _KEYS_TRIED:
                command = Command(0x00, instruction, 0x00, key, bytes(8), le=8)
                answer = line.transmit(bytes(command))
                if answer[-2:] == Status.OK.to_bytes(2, "big"):
                    self.tally.overdue.append(f"the chip made a MAC with key {key}")
                self.refused(answer[-2:].hex().upper())
        line.reset()
