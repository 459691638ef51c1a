"""20,000 sales with 2,000 faults that struck: not one cent astray.

Towns of 5,000 sales each, so that workers share them; `./run town` plays a hundred others.
"""

from collections.abc import Generator

import pytest
import structlog

from simulator.town.campaign.playing import Measure, play_seed
from simulator.town.campaign.summary import Summary

SEEDS = (1_002, 1_003, 1_006, 1_008)
SALES, FAULTS = 5_000, 500
MEASURE = Measure(sales=SALES, faults=0.13, people=31, trips=40.0)
"""Its four weeks hold more than that: some sales fail."""


@pytest.fixture
def loud_again() -> Generator[None]:
    """A campaign mutes the backend's log in its process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.long
@pytest.mark.usefixtures("loud_again")
@pytest.mark.parametrize("seed", SEEDS)
def test_thousands_of_sales_with_hundreds_of_faults_and_no_cent_astray(seed: int) -> None:
    summary = Summary.of([play_seed(seed, MEASURE)])
    assert not summary.failures
    assert (summary.cents_astray, summary.alarms_false, summary.alarms_missed) == (0, 0, 0)
    assert summary.sales >= SALES
    assert summary.faults.total() >= FAULTS
