"""PROTOCOL 8, row 5: an inserted card is relayed to another shop.

The customer pays a small sum at a rogue counter and types her PIN on a keypad that passes it
on; at an honest till an accomplice takes the goods. He does not learn the PIN: a second
purchase has to do without.
"""

from dataclasses import dataclass

from cardlib.wire.ids import PurseId
from simulator.faults import PinWedge, Shim
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack
from simulator.town.state import Town

_WHERE = (
    "SELECT count(*) FROM posting s JOIN purse p ON p.id = s.purse_id"
    " WHERE p.number = ? AND s.terminal = ? AND s.intent_seq = ?"
)


@dataclass(frozen=True, slots=True)
class _Relayed:
    """A sale that the holder of ``purse`` will find at a shop where she was not."""

    purse: PurseId
    terminal: int
    seq: int


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
        source="PROTOCOL 8, row 5", claim=Claim.BOUNDED, bound="the PIN; one sale",
        seen_by="time and place: the posting names a shop where she was not",
    )  # fmt: skip
    tries = 2

    def __init__(self) -> None:
        super().__init__()
        self._sales: list[_Relayed] = []

    def strike(self, scene: Scene) -> None:
        """One sale with the PIN, another without."""
        wires, before = _Relay(scene.citizen.line()), len(scene.town.truth.deliveries)
        self.tally.gain += self.buy(scene, wires)
        self.tally.bound += PRICE
        for given in scene.town.truth.deliveries[before:]:
            self._sales.append(_Relayed(given.purse, given.terminal, given.seq))
        nobody = scene.citizen.with_pin(scene.citizen.wrong_pin())
        self.tally.gain += self.buy(scene, PinWedge(wires), PRICE + 1, citizen=nobody)
        scene.citizen.line().reset()

    def at_end(self, town: Town) -> None:
        """Her history at the backend names the till, hours after she left the other counter."""
        with town.engine.connect() as books:
            for sale in self._sales:
                found = books.exec_driver_sql(
                    _WHERE, (sale.purse.number, sale.terminal, sale.seq)
                ).scalar_one()
                if found:
                    self.tally.seen["place"] = f"{sale.terminal}:{sale.seq}"
                elif sale.terminal not in town.declared.lost_terminals:
                    self.tally.overdue.append(f"{sale.terminal}:{sale.seq} is in no history")
