"""Laws 1, 3, 4 and 12 on the card, over random days: about 20 s, always the same ones.

``BORSELLINO_LAWS_EXAMPLES`` asks for more days, new ones each time (``./run test-full``).
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cardlib.codec.apdu import Response
from cardlib.keys.soft_session import SoftSession
from tests.integration.card_laws.machine import CardLaws

MORE = os.environ.get("BORSELLINO_LAWS_EXAMPLES")
DAYS, STEPS = 80, 25
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
            print(f"card laws: {ManyDays.days} days of {MORE}", flush=True)


def test_the_laws_hold_on_the_card_whatever_happens() -> None:
    run_state_machine_as_test(ManyDays, settings=USUAL)


def test_a_till_that_believes_status_words_breaks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def believes(_session: SoftSession, answer: Response) -> bool:
        return answer.ok

    monkeypatch.setattr(SoftSession, "update_confirmed", believes)
    first = settings(USUAL, phases=[Phase.generate], max_examples=200, derandomize=True)
    with pytest.raises(AssertionError, match="committed, but never on the card"):
        run_state_machine_as_test(CardLaws, settings=first)
