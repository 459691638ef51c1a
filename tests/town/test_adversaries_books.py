"""Leaked keys, forged journals, stations, the desk and the municipality: nobody gains unseen.

Each adversary acts in a town where people buy, tills report and things go wrong. Then one
defence is taken away, and the same adversary must gain more than it may, or not be seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import pytest

from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.domain import load, verdicts
from backend.domain.cases import Decision
from backend.domain.verdicts import Base, Judgement, RecordFact
from backend.services.card_sessions import sessions
from backend.services.card_sessions.replay import SessionRandomness
from backend.services.ingest.batches import _Intake
from backend.services.ingest.entry_content import EntryContent
from backend.services.verdicts import claim_rules, judgement
from cardlib.dialogues import purse_state
from cardlib.dialogues.purse_state import Wallet
from cardlib.keys.grants import SignedGrant
from cardlib.wire.card_session import SessionAnswers, SessionCommands
from cardlib.wire.money import Money
from simulator.card.session import Session as ChipSession
from simulator.errors import TownError
from simulator.town.actors.desk_work import DeskWork
from simulator.town.adversaries import collusion
from simulator.town.adversaries.adversary import Adversary, judge
from simulator.town.adversaries.collusion import Collusion
from simulator.town.adversaries.echo_forgery import EchoForgery
from simulator.town.adversaries.forged_predecessor import ForgedPredecessor
from simulator.town.adversaries.forked_journal import ForkedJournal
from simulator.town.adversaries.held_back_load import HeldBackLoad
from simulator.town.adversaries.insider_grant import InsiderGrant
from simulator.town.adversaries.invented_record import InventedRecord
from simulator.town.adversaries.reopened_at_desk import ReopenedAtDesk
from simulator.town.adversaries.reopened_value import ReopenedValue
from simulator.town.adversaries.replayed_load import ReplayedLoad
from simulator.town.adversaries.rogue_load import RogueLoad
from simulator.town.adversaries.stolen_till import StolenTill
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Size, make_plan
from simulator.town.plan.making import one_till_each
from simulator.town.world import Watcher, World
from terminal.risk import Risk
from terminal.sale import offer
from tests.cases import chosen, one_each

SEEDS, DAYS = 4, 2
"""Of so many towns, of so many days, one must have a moment to strike."""
ALL = (
    ForgedPredecessor, ReopenedValue, ReopenedAtDesk, ReplayedLoad, HeldBackLoad, InventedRecord,
    EchoForgery, ForkedJournal, RogueLoad, StolenTill, Collusion, InsiderGrant,
)  # fmt: skip


def play(
    adversary: Adversary, seed: int, *watchers: Watcher, days: int = 2, shops: int = 2
) -> None:
    """A small town with this adversary in it, and who else looks on."""
    plan = make_plan(seed, days, Size(people=2, shops=shops, trips=6.0), faults=0.05)
    with World(one_till_each(plan), watchers=[adversary, *watchers]) as world:
        world.play()


@pytest.mark.parametrize("kind", ALL)
def test_each_is_stopped_or_bounded_and_seen(kind: Callable[[], Adversary]) -> None:
    adversary, seed = kind(), 1
    play(adversary, seed, TownChecks(), days=DAYS)
    while not adversary.tally.attempts and seed < SEEDS:  # who had no moment to strike
        adversary, seed = kind(), seed + 1
        play(adversary, seed, TownChecks(), days=DAYS)
    judge(adversary, seed)


# without the defence ------------------------------------------------------------------------------


def believes_lines(
    fact: RecordFact, before: RecordFact | None, proven: set[bytes], base: Base
) -> Judgement:
    """The amount is what the shop's own intent says."""
    judgement = JUDGE_LIVE(fact, before, proven, base)
    return replace(judgement, amounts=dict(fact.lines or judgement.amounts))


def any_station(
    row: CardSessionRow, steps: Sequence[CardSessionStepRow], _terminal: int,
    answers: SessionAnswers,
) -> SessionCommands | None:  # fmt: skip
    """A session goes on with whoever knows its number."""
    return KNOWN_REPLY(row, steps, row.terminal, answers)


def more_than_there_is(signed: SignedGrant, balance: Money) -> Wallet:
    """A till reads a wallet as fuller than it is."""
    return Wallet(signed, Money(balance.cents + 100_00))


JUDGE_LIVE, KNOWN_REPLY = verdicts._judge_live, sessions._known_reply
GAINED, UNSEEN = "TOWN_ATTACK_GAINED", "TOWN_ATTACK_UNSEEN"


@dataclass(frozen=True)
class Gap:
    """A defence that is missing, and what comes of it."""

    kind: Callable[[], Adversary]
    owner: object
    name: str
    instead: Any
    code: str = GAINED
    days: int = 1
    shops: int = 2


GAPS = (
    Gap(ForgedPredecessor, verdicts, "_judge_live", believes_lines),
    Gap(ReopenedValue, Risk, "_check_totals", lambda _risk, _state: None, days=2, shops=1),
    Gap(ReopenedAtDesk, load, "check_balances", lambda *_: True),
    Gap(ReplayedLoad, SessionRandomness, "bytes", lambda _self, count: bytes(count), UNSEEN),
    Gap(HeldBackLoad, judgement, "raise_alarm", lambda *_: None, UNSEEN, days=2),
    Gap(HeldBackLoad, ChipSession, "take_challenge", lambda chip: chip.challenge, UNSEEN),
    Gap(InventedRecord, EntryContent, "_is_attested", lambda *_: True),
    Gap(EchoForgery, EntryContent, "_is_attested", lambda *_: True),
    Gap(ForkedJournal, _Intake, "_alarm", lambda *_: None, UNSEEN),
    Gap(RogueLoad, sessions, "_known_reply", any_station, UNSEEN),
    Gap(StolenTill, claim_rules, "_after_loss", lambda *_: False),
    Gap(StolenTill, DeskWork, "_decision", lambda *_: Decision.PAY),
    Gap(Collusion, offer, "spent_today", lambda *_: 0),
    Gap(InsiderGrant, EntryContent, "_alarm_on_grant", lambda *_: None, UNSEEN),
    Gap(InsiderGrant, purse_state, "Wallet", more_than_there_is),
    Gap(Collusion, collusion, "_FAR_ABOVE", 1000, UNSEEN),
)


FIRST_GAPS = one_each(GAPS, attrgetter("kind"))


@pytest.mark.parametrize(
    "gap", chosen(GAPS, FIRST_GAPS), ids=lambda gap: f"{gap.kind.__name__}-{gap.name}"
)
def test_without_its_defence_it_gains_or_is_not_seen(
    gap: Gap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attacker once; further defences in ``./run test-full``."""
    monkeypatch.setattr(gap.owner, gap.name, gap.instead)
    assert gap.code in (_code(gap, seed) for seed in range(1, SEEDS + 1))


def _code(gap: Gap, seed: int) -> str:
    """What the judge says of it."""
    adversary = gap.kind()
    play(adversary, seed, days=gap.days, shops=gap.shops)
    try:
        judge(adversary, seed)
    except TownError as error:
        return error.code
    return ""
