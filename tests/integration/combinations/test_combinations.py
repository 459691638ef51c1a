"""Sales across masks, suites, drivers, modules and protocols; docs/combinations.md is checked."""

from collections.abc import Iterator

import pytest

from simulator.card.masks import MASKS
from tests.integration.combinations.page import PAGE, page
from tests.integration.combinations.shops import MODULES, Shops
from tests.integration.combinations.space import (
    DRIVERS,
    PROTOCOLS,
    SUITES,
    Combination,
    Outcome,
    Sold,
    Trial,
    combinations,
)
from tests.integration.terminal.stage import Stage


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Combination, Outcome]]:
    stage = Stage(tmp_path_factory.mktemp("town"))
    with stage.open_tills:
        trial = Trial(Shops.opened(stage))
        yield {wanted: trial.outcome(wanted) for wanted in combinations()}


def test_every_value_of_every_kind_has_a_sale(found: dict[Combination, Outcome]) -> None:
    sold = [wanted for wanted, outcome in found.items() if isinstance(outcome, Sold)]
    assert {item.mask for item in sold} == set(MASKS)
    assert {item.suite for item in sold} == set(SUITES)
    assert {item.driver for item in sold} == set(DRIVERS)
    assert {item.module for item in sold} == set(MODULES)
    assert {item.protocol for item in sold} == set(PROTOCOLS)


def test_the_page_tells_what_was_found(found: dict[Combination, Outcome]) -> None:
    told = PAGE.read_text("utf-8")
    assert told == page(found), "run: python -m tests.integration.combinations"
