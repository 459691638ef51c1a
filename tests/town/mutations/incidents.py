"""What ordinary plans have too seldom: incidents that defects need in order to show.

Each is a watcher like the adversaries, and harms nobody while the product is right.
"""

from collections.abc import Callable
from typing import ClassVar

from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES, EF_GRANT
from cardlib.errors import CardlibError
from cardlib.keys import records
from cardlib.keys.grants import SignedGrant
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.faults import AlteredAnswer, TearAfter, nth
from simulator.town.actors.cashier import Cashier
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack
from terminal.pay import pay

_UPDATE, _READ_RECORD = 0xDC, 0xB2
_FAR_MORE = 20_000
_HARMLESS = Expectation(source="PROTOCOL 5", claim=Claim.STOPPED)


class LeftOpen(TillAttack):
    """Customers whose card is torn in the debit, and who come back later.

    In turn: the till reports while the sale is open; the card answers nonsense when it is read
    again; the cashier sets the case aside, and the customer buys once more.
    """

    name: ClassVar[str] = "left open"
    expectation: ClassVar[Expectation] = _HARMLESS
    tries: ClassVar[int] = 6

    def strike(self, scene: Scene) -> None:
        """One of the three, then the card is read well."""
        register, citizen = scene.register, scene.citizen
        torn = TearAfter(citizen.line(), nth(1, _UPDATE))
        counter, talk = register.counter, self.talk(scene, torn)
        assert counter is not None
        try:
            pay(counter, counter.card(torn), self.order(PRICE), talk)
        except CardlibError as error:
            self.tally.refuse(error.code)
        scene.town.declared.acted_at(register.terminal)
        citizen.line().reset()
        match self.tally.attempts % 3:
            case 1:
                register.synchronise()
            case 2:
                self._unreadable(scene)
            case _:
                counter.recovery().park()
                self.buy(scene, citizen.line())
        Cashier(scene.town, scene.happening).settle(register, citizen)

    def _unreadable(self, scene: Scene) -> None:
        counter = scene.register.counter
        assert counter is not None
        nonsense = AlteredAnswer(
            scene.citizen.line(), _after_the_first(_READ_RECORD), lambda answer: answer[::-1]
        )
        try:
            counter.recovery().settle(counter.card(nonsense))
        except CardlibError as error:
            self.tally.refuse(error.code)
        scene.citizen.line().reset()


def _after_the_first(instruction: int) -> Callable[[bytes], bool]:
    """The first answer tells which purse it is; those that decide are spoilt."""
    seen = [0]

    def strikes(apdu: bytes) -> bool:
        seen[0] += apdu[1] == instruction
        return apdu[1] == instruction and seen[0] > 1

    return strikes


class ForgedGrant(TillAttack):
    """A purse emulated with a shop's keys, its grant raised and signed by nobody."""

    name: ClassVar[str] = "forged grant"
    expectation: ClassVar[Expectation] = Expectation(source="PROTOCOL 3", claim=Claim.STOPPED)

    def strike(self, scene: Scene) -> None:
        """Buys a little: any of it would be paid by nobody."""
        true = OpenedCard(scene.town, scene.citizen)
        memory = image.decode(image.encode(scene.citizen.card.memory))
        purse = memory.find((DF_SERVICES, DF_BUONO_FIRST))
        file = purse.file_by_sfi(EF_GRANT.sfi) if purse else None
        assert file is not None
        for at, record in enumerate(file.records):
            signed = records.open_grant(true.keys.record, record) if any(record) else None
            if signed is not None:
                file.records[at] = records.seal_grant(true.keys.record, _raised(signed))
        emulated = VirtualCard(memory, scene.town.randomness, without_image=True)
        self.tally.gain += self.buy(scene, InProcessConnection(emulated))


def _raised(signed: SignedGrant) -> SignedGrant:
    clear = bytearray(bytes(signed.grant))
    total = int.from_bytes(clear[14:17], "big") + _FAR_MORE
    clear[14:17] = total.to_bytes(3, "big")
    return SignedGrant.decode(bytes(clear) + bytes(64))
