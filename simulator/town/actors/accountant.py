"""The town hall's accountant and who approves: batches, their review, payment orders, statements.

Honest people make slips: in a town where things go wrong some batches are turned down at every
stage, and some lines that are in order are held back. Two people then find that out.
"""

from contextlib import suppress
from dataclasses import asdict
from random import Random

from backend.adapters.pain001 import Debtor
from backend.domain.settlement import BatchState, LineState, Period
from backend.errors import BackendError, ConflictError
from backend.services.settlement.batches import PaymentOrder
from backend.services.settlement.statements import StatementService
from backend.services.settlement.views import Batch
from simulator.town.actors.founding import Founding
from simulator.town.actors.official import ACCOUNTANT, APPROVER, TOWN, TOWN_IBAN
from simulator.town.hall import Hall

TURNED_DOWN, REVIEWED, HELD = 0.15, 0.4, 0.2
"""Shares of batches refused, and looked at; of the lines looked at that are held back."""
_PERMILLE = 100
_STAGES = 4


class Accountant:
    """Acts through the backend's services; what cannot be today is left for another day."""

    def __init__(self, hall: Hall, founding: Founding) -> None:
        self._hall = hall
        self._founding = founding
        self._settled_to: dict[int, int] = {}
        self._stated_to: dict[int, int] = {}
        self._agreed: list[int] = []
        """Batches that the next payment order pays."""
        self.orders: list[PaymentOrder] = []
        """Payment orders that the bank has not seen."""

    def settle(self, until_s: int, slips: int | None = None) -> None:
        """A batch for each shop whose tills have reported past the instant, and their order.

        ``slips`` is a seed: some are turned down or reviewed; the next period takes up what is
        not paid. Where the backend dies on the way, the same again goes on.
        """
        for shop, merchant in self._founding.merchants.items():
            start = self._settled_to.get(merchant, 1)
            if shop == "desk" or start >= until_s:
                continue
            batch = self._batch(merchant, Period(start, until_s))
            if batch is not None and self._agree(batch, slips):
                self._agreed.append(batch.id)
            if batch is not None:
                self._settled_to[merchant] = until_s
        if self._agreed:
            debtor = Debtor(TOWN, TOWN_IBAN)
            order = self._hall.backend.settlement.order_payments(self._agreed, debtor)
            self.orders.append(order)
            self._agreed = []

    def statement(self, merchant: int, until_s: int) -> dict[str, object] | None:
        """What a merchant gets for the time since its last one, as the file says; None for none."""
        start = self._stated_to.get(merchant, 1)
        if start >= until_s:
            return None
        self._stated_to[merchant] = until_s
        backend = self._hall.backend
        office = StatementService(backend.work, backend.keys, backend.clock)
        signed = office.issue(merchant, Period(start, until_s))
        inclusions = [
            asdict(item) | {"path": [step.hex() for step in item.path]}
            for item in signed.inclusions
        ]
        return {"merchant": merchant, "bytes": signed.complete.hex(), "inclusions": inclusions}

    # ----------------------------------------------------------------------------------------

    def _batch(self, merchant: int, period: Period) -> Batch | None:
        """One batch; None where it is too early, or there is nothing to pay."""
        with suppress(ConflictError):
            settlement = self._hall.backend.settlement
            return settlement.draw_up(self._founding.town, merchant, period, ACCOUNTANT)
        return None

    def _agree(self, batch: Batch, slips: int | None) -> bool:
        """Whether it is to be paid."""
        settlement, rng = self._hall.backend.settlement, Random(f"{slips}:{batch.merchant}")
        if batch.state is BatchState.FAILED:
            return False
        if slips is not None and batch.state is BatchState.CREATED:
            if rng.random() < TURNED_DOWN:
                self._turn_down(batch.id, rng)
                return False
            if rng.random() < REVIEWED:
                self._review(batch.id, rng)
        try:
            self._finish_review(batch.id)
            settlement.approve(batch.id, APPROVER)
        except ConflictError:  # nothing is left that would be paid
            settlement.turn_down(batch.id, APPROVER)
            return False
        return True

    def _finish_review(self, batch: int) -> None:
        """What is left of a sample is looked at: the backend died in the middle, perhaps."""
        if self._hall.backend.settlement.batch(batch).state is BatchState.UNDER_REVIEW:
            self._hall.backend.reviews.accept(batch, (), APPROVER)

    def _turn_down(self, batch: int, rng: Random) -> None:
        """The second person refuses it: at once, in the review, or on second thoughts."""
        backend, stage = self._hall.backend, rng.randrange(_STAGES)
        if stage in (1, 2):
            backend.reviews.send(batch, ACCOUNTANT)
        if stage == 2:
            backend.reviews.begin(batch, APPROVER, _PERMILLE)
        if stage == _STAGES - 1:
            backend.settlement.approve(batch, APPROVER)
        backend.settlement.turn_down(batch, APPROVER)

    def _review(self, batch: int, rng: Random) -> None:
        """A sample is looked at; now and then a line is held back that is in order."""
        reviews = self._hall.backend.reviews
        reviews.send(batch, ACCOUNTANT)
        if rng.random() < 0.2:
            return
        view = reviews.begin(batch, APPROVER, _PERMILLE)
        for line in [line for line in view.lines if line.in_sample]:
            if rng.random() < HELD:
                to = rng.choice((LineState.SUSPENDED, LineState.REJECTED, LineState.POSTPONED))
                with suppress(BackendError):
                    reviews.hold(batch, line.id, to, "scontrino illeggibile", APPROVER)
