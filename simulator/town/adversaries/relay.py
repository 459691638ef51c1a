"""PROTOCOL 8, row 5: an inserted card is relayed to another shop.

The customer pays a small sum at a rogue counter and types her PIN on a keypad that passes it
on; at an honest till an accomplice takes the goods. He does not learn the PIN: a second
purchase has to do without.
"""

from dataclasses import dataclass

from cardlib.wire.ids import PurseId
from simulator.faults import PinWedge, Shim
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.listener import Listener
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, other_registers
from simulator.town.state import Town

SEEN = "time and place"
_WHERE = (
    "SELECT s.merchant_id, s.event_time FROM posting s JOIN purse p ON p.id = s.purse_id"
    " WHERE p.number = ? AND s.terminal = ? AND s.intent_seq = ?"
)
_MINUTES_S = 600
"""What a till's record may be off from its own clock when the sale began."""


@dataclass(frozen=True, slots=True)
class _Relayed:
    """A sale that the holder of ``purse`` will find at a shop where she was not.

    ``she_was_at``: the merchant at whose counter her card lay; ``at_s``: the till's clock.
    """

    purse: PurseId
    terminal: int
    seq: int
    she_was_at: int
    at_s: int


class _Relay(Shim):
    """Wires from the rogue's reader to the accomplice's card: no reset reaches the card."""

    def reset(self) -> None:
        """The card stays in the customer's reader."""

    def close(self) -> None:
        """The same."""


class RelayedCard(TillAttack):
    """A rogue counter, wires, and an accomplice at an honest till."""

    name = "relay"
    expectation = Expectation(
        source="PROTOCOL 8, row 5", claim=Claim.BOUNDED,
        bound="one sale for each time that she typed her PIN",
        seen_by="time and place: the posting names another shop, at the minute when she stood here",
        refused_by=(frozenset({"6982", "RECOVERY_NOT_APPLIED"}),),
    )  # fmt: skip
    tries = 2

    def __init__(self) -> None:
        super().__init__()
        self._sales: list[_Relayed] = []

    def strike(self, scene: Scene) -> None:
        """One sale at another shop with the PIN, and another without."""
        others = other_registers(scene.town, scene.register)
        there = next((one for one in others if one.shop != scene.register.shop), None)
        if there is None:
            self.tally.attempts -= 1
            return
        wires = _Relay(Listener(scene.citizen.line(), self.refused))
        before, at_s = len(scene.town.truth.deliveries), there.clock.unix_ms() // 1000
        self.tally.gain += self.buy(scene, wires, register=there)
        self.tally.bound += PRICE
        for given in scene.town.truth.deliveries[before:]:
            here = scene.register.merchant
            self._sales.append(_Relayed(given.purse, given.terminal, given.seq, here, at_s))
        nobody = scene.citizen.with_pin(scene.citizen.wrong_pin())
        self.tally.gain += self.buy(
            scene, PinWedge(wires), PRICE + 1, register=there, citizen=nobody
        )
        scene.citizen.line().reset()

    def sum_up(self, town: Town) -> None:
        """Her history at the backend names the other shop, and the minute."""
        with town.engine.connect() as books:
            for sale in self._sales:
                key = sale.purse.number, sale.terminal, sale.seq
                found = books.exec_driver_sql(_WHERE, key).all()
                if any(
                    merchant != sale.she_was_at and abs(time - sale.at_s) <= _MINUTES_S
                    for merchant, time in found
                ):
                    self.tally.seen[SEEN] = f"{sale.terminal}:{sale.seq}"
                elif sale.terminal not in town.declared.lost_terminals:
                    self.tally.overdue.append(f"{sale.terminal}:{sale.seq} is told as {found}")
