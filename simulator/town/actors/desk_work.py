"""What a town hall does besides giving money: lost cards, cases, refunds.

What papers and people say about a sale (a receipt, goods that came back) is what truly
happened: the official is told it when a case is looked at, and the backend's own evidence
decides what may follow.
"""

from collections.abc import Mapping
from contextlib import suppress

from backend.domain.cases import Cover, Decision
from backend.domain.settlement import HELD_STATES, LineState
from backend.errors import BackendError, BadInputError
from backend.services.cases.office import OpenCase
from cardlib.keys.intent_rule import intent_hash_in
from cardlib.wire.ids import PurseId
from simulator.town.actors.official import APPROVER, LOADER
from simulator.town.hall import Hall
from simulator.town.truth import Truth

_ACT = "Determina 61/2026"
_OF_REVIEW = tuple(HELD_STATES[state] for state in (LineState.SUSPENDED, LineState.REJECTED))
"""Cases that a review of a batch opens: nobody has to wait for a proof."""
_REFUNDS = (
    "SELECT DISTINCT s.terminal, s.intent_seq, m.issuer, p.number FROM posting s"
    " JOIN posting_part pp ON pp.posting_id = s.id JOIN account a ON a.id = pp.holder_id"
    " JOIN purse p ON p.id = s.purse_id JOIN municipality m ON m.id = p.municipality_id"
    " WHERE a.kind = 'refund_due' AND NOT s.is_void ORDER BY s.terminal, s.intent_seq"
)


class DeskWork:
    """Acts through the backend's services; what cannot be today is left for another day."""

    def __init__(self, hall: Hall, truth: Truth) -> None:
        self._hall = hall
        self._truth = truth

    # lost cards -----------------------------------------------------------------------------

    def block(self, purse: PurseId) -> bool:
        """A citizen says that her card is lost; whether it is blocked now."""
        with suppress(BackendError):
            self._hall.backend.cards.block(purse, "CARD_LOST", by=LOADER)
            self._truth.declared.reported[purse] = self._hall.town_ms
            return True
        return False

    def unblock(self, purse: PurseId) -> bool:
        """The card was found; whether its money can be spent again."""
        with suppress(BackendError):
            self._hall.backend.cards.unblock(purse, requested_by=LOADER, approved_by=APPROVER)
            self._truth.declared.reported.pop(purse, None)
            return True
        return False

    def enter_again(self, purse: PurseId, *, blocked: bool) -> None:
        """What a restored copy has forgotten of a card that was lost, or found."""
        if blocked:
            self.block(purse)
        else:
            self.unblock(purse)

    def replace(self, old: PurseId, new: PurseId) -> int | None:
        """Orders a lost card's money onto a new one: how many orders; None where it cannot be."""
        with suppress(BackendError):
            orders = self._hall.backend.cards.replace(
                old, new, requested_by=LOADER, approved_by=APPROVER
            )
            return len(orders)
        return None

    # cases ----------------------------------------------------------------------------------

    def close_cases(self) -> int:
        """Two people decide the cases whose claim window is over; how many were closed."""
        office = self._hall.backend.cases
        now = self._hall.backend.clock.unix_ms() // 1000
        return sum(
            self._close(case)
            for case in office.waiting()
            if now >= case.due_at or case.code in _OF_REVIEW
        )

    def order_refunds(self, moved_to: Mapping[PurseId, PurseId]) -> list[PurseId]:
        """Orders what purses are owed for sales; the purses, once for each order.

        ``moved_to``: the new purse of one that was replaced.
        """
        with self._hall.engine.connect() as connection:
            rows = connection.exec_driver_sql(_REFUNDS).all()
        waiting: list[PurseId] = []
        for terminal, seq, issuer, number in rows:
            debited = PurseId(bytes(issuer), bytes(number))
            with suppress(BackendError):
                orders = self._hall.backend.refunds.order(
                    terminal, seq, requested_by=LOADER, approved_by=APPROVER,
                    purse=moved_to.get(debited),
                )  # fmt: skip
                waiting += [moved_to.get(debited, debited)] * len(orders)
        return waiting

    # ----------------------------------------------------------------------------------------

    def _close(self, case: OpenCase) -> bool:
        decision = self._decision(case)
        if decision is None:
            return False
        for cover in (None, Cover.FUND, Cover.LOSS):
            try:
                self._hall.backend.cases.close(
                    case.number, decision, act=_ACT, requested_by=LOADER, approved_by=APPROVER,
                    cover=cover,
                )  # fmt: skip
            except BadInputError:  # somebody has to bear what the wallet lacked
                continue
            except BackendError as error:
                if error.code != "FUND_TOO_SMALL":
                    return False
            else:
                return True
        return False

    def _decision(self, case: OpenCase) -> Decision | None:
        """As the papers say; None where they say nothing, and the case waits on."""
        if not case.cents:
            return Decision.DONE
        with self._hall.backend.work.read() as unit:
            posting = unit.acts.posting_of_case(unit.acts.case(case.number))
            if posting is None:
                return None
            record = unit.verdicts.record(posting.purse_id, posting.ctr, posting.record_hash)
            assert record is not None, "a posting is a record's place in the books"
            sale, is_void = (posting.terminal, posting.intent_seq), posting.is_void
            proven = posting.state == "proven"
        rogue = sale[0] in self._truth.declared.rogue_terminals  # its papers prove nothing
        given = self._truth.was_delivered(*sale, intent_hash_in(record.record))
        handed_over = given and not rogue
        if is_void:
            return Decision.RELEASE if handed_over or proven else Decision.PAY
        if handed_over:
            return Decision.PAY
        return Decision.REFUND if proven else Decision.RELEASE
