"""Attack 9: an old grant is to count again, by the record map that nobody has signed.

The holder keeps what the card answered before a load, and after it shows the till a map that
names the old record only; in turn with the old bytes in the answer, and with the card's own.
"""

from cardlib.codec.commands import INS_READ_RECORD
from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES, EF_GRANT
from cardlib.wire.entry_body import Intent
from simulator.faults import AlteredAnswer, ForgedMap
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, groceries
from simulator.town.adversaries.top_up import top_up
from simulator.town.state import Town
from simulator.town.truth import Delivery

_NEWER = "the newer grant"
"""What the till reads when the map leads to an empty record."""


class OldGrant(TillAttack):
    """The holder's own card and PIN, a board, and a small load in between."""

    name = "old grant"
    expectation = Expectation(
        source="PROTOCOL 1.9", claim=Claim.STOPPED,
        seen_by="CARD_MAC_BAD for replayed bytes; the record is zero: all eight are read",
        refused_by=(frozenset({"CARD_MAC_BAD"}), frozenset({_NEWER})),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Loads, and buys with the grant that was replaced."""
        card = OpenedCard(scene.town, scene.citizen)
        number, record, seq = _richest(card)
        before = groceries(card)
        if not top_up(scene) or groceries(card) <= before:
            self.tally.attempts -= 1
            return
        line = ForgedMap(scene.citizen.line(), 1 << (number - 1))
        talk = self.talk(scene, line)
        if self.tally.attempts % 2:
            talk.reader.connection = AlteredAnswer(
                line, _reads(number), lambda answer: answer[:2] + record + answer[2 + len(record) :]
            )
        for given in self.serve(scene, self.order(PRICE), talk):
            old = _paid_by(scene.town, given, seq)
            self.tally.gain += old
            self.refused(_NEWER, int(not old))


def _richest(card: OpenedCard) -> tuple[int, bytes, int]:
    """Record number, its bytes, and grant_seq of the wallet with most in it."""
    slot = max(card.grants, key=card.balance)
    grant = card.grants[slot].grant
    clear, purse = bytes(grant)[:4], card.citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    file = purse.file_by_sfi(EF_GRANT.sfi) if purse else None
    for number, record in enumerate(file.records if file else (), start=1):
        if record[:4] == clear:
            return number, record, grant.grant_seq
    raise AssertionError("the wallet's record is on the card")


def _reads(number: int) -> "_ReadsRecord":
    return _ReadsRecord(number)


class _ReadsRecord:
    """Strikes at READ RECORD of one record of EF.GRANT."""

    def __init__(self, number: int) -> None:
        self._head = bytes((INS_READ_RECORD, number, EF_GRANT.read_p2))

    def __call__(self, apdu: bytes) -> bool:
        return apdu[1:4] == self._head


def _paid_by(town: Town, given: Delivery, old_seq: int) -> int:
    """Cents of a purchase that a superseded grant paid."""
    register = next(one for one in town.tills if one.terminal == given.terminal)
    with register.journal() as journal:
        intent = journal.views.entry(given.seq).decode().body
    assert isinstance(intent, Intent)
    return sum(line.cents for line in intent.lines if line.grant_seq <= old_seq)
