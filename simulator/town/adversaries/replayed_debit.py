"""Replays inside a sale: an old answer to the debit, or the same debit sent to the card twice."""

from cardlib.codec.commands import INS_UPDATE_RECORD
from simulator.faults import Replayed, SentAgain, every
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, spent


class ReplayedDebit(TillAttack):
    """In turn a holder who wants goods for an old answer, and a reader that debits twice."""

    name = "replayed debit"
    expectation = Expectation(
        source="PROTOCOL 3 (one challenge, fresh randoms)", claim=Claim.STOPPED,
        seen_by="the answer's MAC is over a fresh random; 6985 at the chip",
        refused_by=(frozenset({"RECOVERY_NOT_APPLIED"}), frozenset({"6985"})),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """One of the two; cents that chip and counter disagree about."""
        card = OpenedCard(scene.town, scene.citizen)
        before = spent(card)
        goods = self._old_answer(scene) if self.tally.attempts % 2 else self._twice(scene)
        self.tally.gain += abs(goods - (spent(card) - before))

    def _old_answer(self, scene: Scene) -> int:
        replaying = [False]
        board = Replayed(
            scene.citizen.line(), lambda apdu: replaying[0] and apdu[1] == INS_UPDATE_RECORD
        )  # fmt: skip
        goods = self.buy(scene, board)
        replaying[0] = True
        return goods + self.buy(scene, board)

    def _twice(self, scene: Scene) -> int:
        board = SentAgain(scene.citizen.line(), every(INS_UPDATE_RECORD))
        goods = self.buy(scene, board)
        for answer in board.again:
            self.refused(answer[-2:].hex().upper())
        return goods
