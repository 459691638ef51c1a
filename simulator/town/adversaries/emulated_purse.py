"""PROTOCOL 8, row 4: M_DEBIT leaked, and a purse is emulated at tills that cannot check K_TC.

The emulated chip has the holder's own grants and any spent totals that he likes; what it cannot
make is a certificate. He empties it at each till, and tries whether the same till takes it
full again.
"""

from dataclasses import replace

from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES, EF_SPEND, KeyId
from cardlib.codec.purse import SpendType
from cardlib.keys import records
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.granted import open_value
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.second_state import twin
from simulator.town.adversaries.till_attack import Scene, TillAttack, groceries, other_registers
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.model import Happening
from simulator.town.state import Town

_TILLS = 2
_EXPECTED = ("CARD_ABOVE_LEDGER", "PREDECESSOR_FORGED", "PURSE_FORKED", "PURSE_ROLLED_BACK")
_CLAIM = (
    "SELECT s.state, s.reason, (SELECT count(*) FROM posting_part pp JOIN account a"
    " ON a.id = pp.holder_id WHERE pp.posting_id = s.id AND a.kind <> 'suspense')"
    " FROM posting s WHERE s.terminal = ? AND s.intent_seq = ?"
)


class EmulatedPurse(TillAttack):
    """His own purse, a computer that plays its chip, and the keys of a shop."""

    name = "emulated purse"
    expectation = Expectation(
        source="PROTOCOL 8, row 4", claim=Claim.BOUNDED,
        bound="for each till: granted_total - base_spent in the books, and the day limit",
        seen_by="a till that wrote more itself: PURSE_ROLLED_BACK; no valid tc: SALE_UNPROVEN when"
        " the till has synchronised; not paid before people decide",
        refused_by=(frozenset({"PURSE_ROLLED_BACK"}),),
    )  # fmt: skip
    tries = 1
    eagerness = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[Register, int]] = []
        self._sold: set[tuple[int, int]] = set()

    def strike(self, scene: Scene) -> None:
        """As much as each till gives."""
        purse = scene.citizen.purse
        assert purse is not None
        scene.town.declared.rogue_purse(purse)
        for code in _EXPECTED:
            scene.town.declared.expect(code, purse=purse)
        played = _emulated(scene)
        card = OpenedCard(scene.town, played)
        for register in [scene.register, *other_registers(scene.town, scene.register)][:_TILLS]:
            goods = 0
            for _ in range(3):
                cents = min(groceries(card), DAY_LIMIT)
                goods += self._buy(scene, played, register, cents) if cents else 0
                _open_again(scene.town, card)
            self.tally.gain += goods
            self.tally.bound += min(open_value(scene.town, purse), DAY_LIMIT)

    def follow(self, town: Town, happening: Happening) -> None:
        """When the till has synchronised, each sale waits in suspense, unproven."""
        for register, seq in list(self._waiting):
            if register.acknowledged() > seq:
                self._waiting.remove((register, seq))
                with town.engine.connect() as books:
                    rows = books.exec_driver_sql(_CLAIM, (register.terminal, seq)).all()
                if rows and all(state != "proven" and not paid for state, _, paid in rows):
                    self.tally.seen.setdefault(str(rows[0][1]), happening.id)
                else:
                    self.tally.overdue.append(f"{register.terminal}:{seq} is {rows}")

    @property
    def uncertified(self) -> frozenset[tuple[int, int]]:
        """All of them: no card proves any."""
        return frozenset(self._sold)

    def sum_up(self, town: Town) -> None:
        """No till is left that has not told of it, but for one that is gone."""
        gone = {register.terminal for register in town.tills if register.gone}
        for register, seq in self._waiting:
            if register.terminal not in gone:
                self.tally.overdue.append(f"{register.terminal}:{seq} was never told")

    def _buy(self, scene: Scene, played: Citizen, register: Register, cents: int) -> int:
        before = len(scene.town.truth.deliveries)
        goods = self.buy(scene, played.line(), cents, register=register, citizen=played)
        for given in scene.town.truth.deliveries[before:]:
            self._waiting.append((register, given.seq))
            self._sold.add((given.terminal, given.seq))
        return goods


def _emulated(scene: Scene) -> Citizen:
    """All that M_DEBIT and the holder's card give; no key of attestation."""
    played = twin(scene)
    purse = played.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    assert purse is not None
    purse.keys[KeyId.ATTEST] = scene.town.randomness.bytes(16)
    return played


def _open_again(town: Town, card: OpenedCard) -> None:
    """A record of nobody on top: nothing has been spent since the grants were signed."""
    purse = card.citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    file = purse.file_by_sfi(EF_SPEND.sfi) if purse else None
    assert file is not None
    full = replace(
        card.newest, type=SpendType.SALE, ctr=card.newest.ctr + 1, spent=card.base, day_spent=0,
        intent_hash=town.randomness.bytes(8), prev=card.link, terminal=0x7777, seq=1,
    )  # fmt: skip
    file.records[:] = [records.seal_spend(card.keys.record, full), *file.records[:-1]]
