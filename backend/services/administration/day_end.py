"""The end of a day: wallets expire, what is left of them is given up, cases fall due.

It may be run late, twice, or not at all for a week: what it does follows from the time and
the books. It works in bounded steps, each one transaction of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.adapters.tables.cards import CardGrantRow
from backend.adapters.unit_of_work import Unit
from backend.domain.claim_window import DAY_S
from backend.domain.expiry import ExpiryRule, today
from backend.domain.ledger import Account, AccountKind, Transfer, TransferKind
from backend.domain.marks import Mark
from backend.services.alarms import raise_alarm
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.terminals.marks import mark_of_municipality
from backend.services.unit_of_work import Work
from backend.services.wallets.accounts import same_pot
from backend.services.wallets.present import expiry_ref, keep_wallet
from backend.services.wallets.replacements import order_rest
from cardlib.ports import Clock
from cardlib.wire.money import Money

STEP = 200
"""Rows that one transaction looks at."""
OVERDUE = "CASE_OVERDUE"
OPEN_LONG = "INTENT_OPEN_LONG"


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a run did: wallets and cents that expired, and that were given up;
    replaced cards whose reserve was ordered; cases told; sales told whose end nobody knows.
    """

    expired: int = 0
    expired_cents: int = 0
    given_up: int = 0
    given_up_cents: int = 0
    rests_ordered: int = 0
    cases_overdue: int = 0
    intents_open: int = 0


class DayEnd:
    """The use case."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def close_day(self) -> DayReport:
        """Does what the time asks for; what was done before is not done again."""
        now = self._clock.unix_ms() // 1000
        expired, given_up = list(self._expire(now)), list(self._give_up(now))
        return DayReport(
            expired=len(expired), expired_cents=sum(expired), given_up=len(given_up),
            given_up_cents=sum(given_up), rests_ordered=self._order_rests(now),
            cases_overdue=self._tell_overdue(now), intents_open=self._tell_open_intents(now),
        )  # fmt: skip

    def _expire(self, now: int) -> Iterator[int]:
        """Midnight after the last day: on_card → expired_pending."""
        more = True
        while more:
            with self._work.begin() as unit:
                rows = unit.acts.grants_past_last_day(today(now), STEP)
                moved = [_expire(unit, grant, now) for grant in rows]
                unit.commit()
            yield from moved
            more = len(rows) == STEP

    def _give_up(self, now: int) -> Iterator[int]:
        with self._work.read() as unit:
            towns = [
                (town.id, ExpiryRule(town.claim_window_days), mark_of_municipality(unit, town.id))
                for town in unit.programmes.municipalities()
            ]
        for municipality, rule, mark in towns:
            yield from self._give_up_of(municipality, rule, mark, now)

    def _give_up_of(
        self, municipality: int, rule: ExpiryRule, mark: Mark, now: int
    ) -> Iterator[int]:
        """Claim window over and nothing on its way: expired_pending → expired → fund."""
        after, more = 0, True
        while more:
            with self._work.begin() as unit:
                rows = unit.acts.pending_grants(municipality, rule.last_day_over(now), after, STEP)
                final = [
                    grant
                    for grant in rows
                    if rule.is_final(grant.valid_to, mark, now)
                    and not unit.acts.is_loading(grant.purse_id, grant.slot)
                ]
                moved = [_give_up(unit, grant, now) for grant in final]
                unit.commit()
            yield from moved
            after, more = (rows[-1].id if rows else after), len(rows) == STEP

    def _order_rests(self, now: int) -> int:
        """Reserves of replaced cards that no late sale can claim any more."""
        after, ordered, more = 0, 0, True
        while more:
            with self._work.begin() as unit:
                blocks = unit.acts.blocks_with_rest(after, STEP)
                ordered += sum(order_rest(unit, block, now) for block in blocks)
                unit.commit()
            after, more = (blocks[-1].id if blocks else after), len(blocks) == STEP
        return ordered

    def _tell_overdue(self, now: int) -> int:
        """An alarm for each open case that has waited longer than its town's claim window."""
        told, more = 0, True
        while more:
            with self._work.begin() as unit:
                cases = unit.acts.overdue_cases(now, OVERDUE, STEP)
                for case in cases:
                    purse = None if case.purse_id is None else unit.cards.purse_by_id(case.purse_id)
                    raise_alarm(unit, OVERDUE, f"case {case.id}", now, purse=purse, case=case.id)
                unit.commit()
            told, more = told + len(cases), len(cases) == STEP
        return told

    def _tell_open_intents(self, now: int) -> int:
        """An alarm for each sale that a till began, told of, and has not told the end of since.

        Until it does, nothing is complete beyond it. By then the till has stopped selling.
        """
        told, more = 0, True
        while more:
            with self._work.begin() as unit:
                intents = unit.acts.forgotten_intents(now - STOP_DAYS * DAY_S, OPEN_LONG, STEP)
                for intent in intents:
                    raise_alarm(
                        unit, OPEN_LONG, f"intent {intent.terminal}:{intent.seq}", now,
                        purse=unit.cards.purse_by_id(intent.purse_id), terminal=intent.terminal,
                        seq=intent.seq, days=STOP_DAYS,
                    )  # fmt: skip
                unit.commit()
            told, more = told + len(intents), len(intents) == STEP
        return told


def _expire(unit: Unit, grant: CardGrantRow, now: int) -> int:
    grant.pending_at = now
    return keep_wallet(unit, unit.cards.purse_by_id(grant.purse_id), grant, now)


def _give_up(unit: Unit, grant: CardGrantRow, now: int) -> int:
    grant.expired_at = now
    transfers: list[Transfer] = []
    for account, cents in unit.ledger.present_accounts(grant.purse_id, grant.slot):
        if account.kind is AccountKind.EXPIRED_PENDING and cents > 0:
            transfers += _released(unit, grant, account, cents, now)
    unit.ledger.post(transfers, now)
    return sum(item.money.cents for item in transfers) // 2


def _released(
    unit: Unit, grant: CardGrantRow, pending: Account, cents: int, now: int
) -> list[Transfer]:
    """Through ``expired`` into the fund: both steps stay visible in the books."""
    expired, fund = (same_pot(pending, kind) for kind in (AccountKind.EXPIRED, AccountKind.FUND))
    ref = expiry_ref(unit.cards.purse_by_id(grant.purse_id), grant)
    steps = (
        (TransferKind.EXPIRED, pending, expired),
        (TransferKind.EXPIRED_RELEASED, expired, fund),
    )
    return [
        Transfer(
            kind=kind, source=source, target=target, money=Money(cents), event_time=now, ref=ref
        )
        for kind, source, target in steps
    ]
