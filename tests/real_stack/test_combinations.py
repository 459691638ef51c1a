"""A covering subset of docs/combinations.md through the real pcscd.

Every mask, suite, driver, module and protocol at least once; suites and modules with every
driver that has them. ``BORSELLINO_ALL_COMBINATIONS=1``: all that run (``./run test-full``).
"""

import os
from collections.abc import Iterator

import pytest

from cardlib import pcsc
from cardlib.codec.atr import Atr
from simulator.card.masks import MASKS
from simulator.card.traits import PurseKind
from tests.integration.combinations.cards import issued, kind_of
from tests.integration.combinations.shops import MODULES, Shops
from tests.integration.combinations.space import SUITES, Combination, Sold, sell
from tests.integration.terminal.stage import Stage
from tests.real_stack.pcscd import Insert

pytestmark = pytest.mark.pcsc


def every() -> list[Combination]:
    """All that run."""
    return [
        Combination(mask, suite, kind_of(mask), module, Atr.decode(MASKS[mask].atr).protocols[0])
        for mask in MASKS
        for suite in SUITES
        for module in MODULES
        if (kind_of(mask), suite) != (PurseKind.APPLET, 2)
    ]


def covering() -> list[Combination]:
    """Masks in turn, suites and modules alternating; the odd chips with both modules."""
    if os.environ.get("BORSELLINO_ALL_COMBINATIONS"):
        return every()
    chosen: list[Combination] = []
    for number, mask in enumerate(MASKS):
        kind, (protocol, *_) = kind_of(mask), Atr.decode(MASKS[mask].atr).protocols
        suite = 1 if kind is PurseKind.APPLET else SUITES[number % 2]
        chosen.append(Combination(mask, suite, kind, MODULES[number // 2 % 2], protocol))
        if kind is not PurseKind.FILE or protocol == 0:
            other = MODULES[1 - number // 2 % 2]
            chosen.append(Combination(mask, suite, kind, other, protocol))
    return chosen


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    stage = Stage(tmp_path_factory.mktemp("town"))
    with stage.open_tills:
        yield Shops.opened(stage)


def test_the_subset_covers_every_value() -> None:
    chosen = covering()
    assert {item.mask for item in chosen} == set(MASKS)
    assert {item.suite for item in chosen} == set(SUITES)
    assert {item.driver for item in chosen} == set(PurseKind)
    assert {item.module for item in chosen} == set(MODULES)
    assert {item.protocol for item in chosen} == {0, 1}
    assert {(item.suite, item.module) for item in chosen} == {
        (suite, module) for suite in SUITES for module in MODULES
    }


@pytest.mark.parametrize(
    ("number", "wanted"),
    list(enumerate(covering(), 1)),
    ids=[f"{item.mask}-{item.suite}-{item.module}" for item in covering()],
)
def test_a_sale_through_pcscd(
    number: int, wanted: Combination, shops: Shops, insert: Insert
) -> None:
    card = issued(shops.stage, wanted.mask, wanted.suite, number)
    insert(card.card)
    connection = pcsc.connect()
    try:
        assert connection.protocol == wanted.protocol
        assert isinstance(sell(shops, card, wanted, connection), Sold)
    finally:
        connection.close()
