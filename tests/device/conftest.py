"""The device ring: a real reader and a real card, named on the command line, never by default.

::

    pytest tests/device --reader "Gemalto PC Twin"                       # reads only
    pytest tests/device --reader "Gemalto PC Twin" --write-training-card # and sells one cent

Without ``--reader`` every test here is skipped, and that is no failure: nobody has to have
a card. ``docs/devices.md`` says what is touched.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.channel import Channel
from cardlib.connection import CardConnection
from cardlib.dialogues.inspect import CardSummary, inspect_card
from cardlib.wire.ids import TRAINING_ISSUER

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--reader") is None:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="the device ring needs --reader NAME"))


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[CardConnection]:
    """The card in the reader that was named."""
    opened = pcsc.connect(request.config.getoption("--reader"))
    yield opened
    opened.close()


@pytest.fixture
def summary(connection: CardConnection) -> CardSummary:
    return Channel(connection).run(inspect_card())


@pytest.fixture
def training_card(request: pytest.FixtureRequest, summary: CardSummary) -> CardSummary:
    """A card with training purses only, that a person has allowed to be written."""
    if not request.config.getoption("--write-training-card"):
        pytest.skip("writes need --write-training-card")
    if not summary.purses or any(item.info.issuer != TRAINING_ISSUER for item in summary.purses):
        pytest.skip("this card has no training purse, or somebody's money is on it")
    return summary
