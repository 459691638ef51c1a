"""Laws 1, 3, 4 and 12 on the card, over random days: about 20 s, always the same ones.

``BORSELLINO_LAWS_EXAMPLES`` asks for more days, new ones each time (``./run test-full``).
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cardlib.codec.apdu import Response
from cardlib.keys.soft_session import SoftSession
from cardlib.wire.entry_body import NotAppliedCode
from simulator.card.masks import WHITE, WHITE_APPLET
from terminal.outcome import write_not_applied
from terminal.sale.debit import Debit, SaleResult
from terminal.sale.states import Event
from tests.integration.card_laws.machine import CardLaws

MORE = os.environ.get("BORSELLINO_LAWS_EXAMPLES")
DAYS, STEPS = 35, 25
USUAL = settings(
    max_examples=int(MORE or DAYS),
    stateful_step_count=50 if MORE else STEPS,
    derandomize=MORE is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class ManyDays(CardLaws):
    """Tells now and then how many days there were."""

    days = 0

    def teardown(self) -> None:
        super().teardown()
        ManyDays.days += 1
        if MORE and ManyDays.days % 100 == 0:
            print(f"card laws: {ManyDays.days} days tried, {MORE} good ones wanted", flush=True)


def test_the_laws_hold_on_the_card_whatever_happens() -> None:
    run_state_machine_as_test(ManyDays, settings=USUAL)


class AppletDays(ManyDays):
    """With a card that checks the arithmetic itself, and one that does not."""

    kinds = ((WHITE_APPLET, 1), (WHITE, 2))


def test_the_laws_hold_on_an_applet_card_too() -> None:
    run_state_machine_as_test(AppletDays, settings=USUAL)


def test_a_till_that_believes_status_words_breaks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def believes(_session: SoftSession, answer: Response) -> bool:
        return answer.ok

    monkeypatch.setattr(SoftSession, "update_confirmed", believes)
    day = CardLaws()
    day.every_record_has_its_intent()
    day.sale(till=501, card=0, slot=1, amount=50, fault="forged success", number=1)
    with pytest.raises(AssertionError, match="committed, but never on the card"):
        day.every_record_has_its_intent()
    day.teardown()


def test_a_till_that_takes_a_refusal_for_an_answer_breaks_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def guesses(debit: Debit, *_: object) -> SaleResult:
        journal, pending = debit._journal, debit._pending
        write_not_applied(journal, pending, NotAppliedCode.READ, pending.prior)
        debit._move(Event.READ_NOT_APPLIED)
        debit._move(Event.GIVEN_UP)
        return debit._result()

    monkeypatch.setattr(Debit, "resolve", guesses)
    day = CardLaws()
    day.sale_of_unknown_outcome(till=501, card=0, fault="forged refusal", number=1)
    day.waiting[501].sale.resolve()
    with pytest.raises(AssertionError, match="but it is on the card"):
        day.every_record_has_its_intent()
    day.teardown()
