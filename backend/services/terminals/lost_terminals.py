"""A terminal is recorded as lost or stolen: two people, an act, and what follows (PROTOCOL 6)."""

from dataclasses import dataclass

from backend.adapters.tables.acts import TerminalLossRow
from backend.adapters.unit_of_work import Unit
from backend.domain.people import check_two_people
from backend.domain.states import TerminalState
from backend.errors import BadInputError, ConflictError
from backend.services.unit_of_work import Work
from backend.services.verdicts.judgement import judge_purse
from cardlib.ports import Clock


@dataclass(frozen=True, slots=True)
class LossOffice:
    """The use case; people are named by whoever calls."""

    work: Work
    clock: Clock

    def record(
        self, terminal: int, lost_at: int, *, act: str, requested_by: str, approved_by: str
    ) -> int:
        """Takes ``terminal`` out of all marks; the number of sales that now wait for a person.

        ``lost_at``: when it was lost or stolen, Unix seconds. The same act again changes
        nothing. UnknownError ``TERMINAL_UNKNOWN``; NotPermittedError ``SAME_PERSON``;
        BadInputError ``LOSS_IN_FUTURE``; ConflictError ``TERMINAL_LOST_BEFORE``.
        """
        check_two_people(requested_by, approved_by)
        now = self.clock.unix_ms() // 1000
        if lost_at > now:
            raise BadInputError("LOSS_IN_FUTURE")
        with self.work.begin() as unit:
            row, known = unit.terminals.terminal(terminal), unit.acts.loss(terminal)
            if known is not None:
                if known.lost_at != lost_at:
                    raise ConflictError("TERMINAL_LOST_BEFORE", terminal=terminal)
                return 0
            row.state, row.lost_at = TerminalState.LOST, lost_at
            unit.add(
                TerminalLossRow(
                    terminal=terminal, lost_at=lost_at, head_seq=row.high_seq, act=act,
                    recorded_by=requested_by, approved_by=approved_by, recorded_at=now,
                )
            )  # fmt: skip
            suspended = _judge_since(unit, terminal, lost_at, now)
            unit.commit()
        return suspended


def _judge_since(unit: Unit, terminal: int, lost_at: int, now: int) -> int:
    """Sales after the loss that were payable wait for a person from now on."""
    touched = unit.acts.purses_sold_to(terminal, lost_at)
    for purse_id, ctr in touched:
        judge_purse(unit, unit.cards.purse_by_id(purse_id), now, changed_ctr=ctr)
    return len(touched)
