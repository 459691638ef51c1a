"""What was promised and not taken goes back: orders, awards, the funder's money (PROTOCOL 7).

An order that nobody has signed is cancelled here; one that was signed can only be made void
by a card session, which proves that its grant is not on the card.
"""

from dataclasses import dataclass

from backend.adapters.tables.programmes import FundingRow
from backend.domain.amounts import check_amount
from backend.domain.ledger import AccountKind, Pot, Ref, RefKind, TransferKind
from backend.domain.people import check_person, check_two_people
from backend.domain.states import AwardState, OrderSource, OrderState
from backend.errors import ConflictError
from backend.services.administration.funds import check_award, check_fund, pot_of
from backend.services.unit_of_work import Work
from backend.services.wallets.accounts import move_now
from cardlib.ports import Clock
from cardlib.wire.money import Money


@dataclass(frozen=True, slots=True)
class UnspentOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock

    def cancel_order(self, order: int, *, requested_by: str, approved_by: str) -> None:
        """An order of an award that no card session has signed is void; again changes nothing.

        UnknownError ``ORDER_UNKNOWN``; NotPermittedError ``SAME_PERSON``; ConflictError
        ``ORDER_NOT_CANCELLED`` for one that was signed, or of other money than an award's.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = unit.cards.order(order)
            grants = unit.cards.grants_of_order(order)
            cancelled = row.state in {OrderState.APPROVED, OrderState.VOID} and not grants
            if row.source != OrderSource.AWARD or not cancelled:
                raise ConflictError("ORDER_NOT_CANCELLED", order=order, state=row.state)
            row.state = OrderState.VOID
            unit.commit()

    def withdraw(self, award: int, amount: Money, *, requested_by: str, approved_by: str) -> int:
        """Takes ``amount`` of an award back into the fund; cents that are left of the award.

        NotPermittedError ``SAME_PERSON``; ConflictError ``AWARD_TOO_SMALL`` where orders
        that are not void need more than would be left.
        """
        check_two_people(requested_by, approved_by)
        check_amount(amount)
        now = self.clock.unix_ms() // 1000
        with self.work.begin() as unit:
            row = unit.programmes.award(award)
            check_award(unit, row, amount.cents)
            row.withdrawn_cents += amount.cents
            left = row.cents - row.withdrawn_cents
            row.state = row.state if left else AwardState.WITHDRAWN
            pot = Pot(row.programme.municipality_id, row.programme_id, row.funding_source_id)
            move_now(
                unit, TransferKind.AWARD_WITHDRAWN, pot.account(AccountKind.COMMITTED),
                pot.account(AccountKind.FUND), amount, Ref(RefKind.AWARD, str(row.id)), now,
            )  # fmt: skip
            unit.commit()
        return left

    def give_back(self, programme: int, source: str, amount: Money, *, act: str, by: str) -> int:
        """Returns money of the fund to the funder; the number of the (negative) funding.

        UnknownError ``FUNDING_SOURCE_UNKNOWN``; ConflictError ``FUND_TOO_SMALL``.
        """
        check_amount(amount)
        check_person(by)
        now = self.clock.unix_ms() // 1000
        with self.work.begin() as unit:
            row = unit.programmes.programme(programme)
            pot = pot_of(unit, row, source)
            check_fund(unit, pot.account(AccountKind.FUND), amount.cents)
            funding = FundingRow(
                programme_id=row.id, funding_source_id=pot.funding_source, cents=-amount.cents,
                act=act, booked_by=by, booked_at=now,
            )  # fmt: skip
            unit.add(funding)
            move_now(
                unit, TransferKind.FUNDING_RETURNED, pot.account(AccountKind.FUND),
                pot.account(AccountKind.EXTERNAL), amount,
                Ref(RefKind.FUNDING, str(funding.id)), now,
            )  # fmt: skip
            unit.commit()
            return funding.id
