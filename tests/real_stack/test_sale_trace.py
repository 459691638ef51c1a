"""A whole sale over PC/SC: the same ten commands as in the process, byte for byte counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.trace import Exchange
from cardlib.wire.money import Money
from terminal.counter import Counter
from terminal.sale.offer import Item
from terminal.sale.states import State
from tests import vectors
from tests.integration.terminal.stage import FOOD, PIN, Stage
from tests.real_stack.pcscd import Insert

pytestmark = pytest.mark.pcsc

COMMANDS, BYTES = 10, 438
CARD_PROFILE = Path(__file__).parents[2] / "docs" / "card-profile.md"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


def sold(stage: Stage, name: str, connection: CardConnection) -> list[Exchange]:
    """The trace of one sale, from the first command to the attested read."""
    trace: list[Exchange] = []
    counter = Counter(stage.till(name=name))
    with counter.sale(counter.card(connection, trace.append)) as sale:
        sale.read()
        sale.basket([Item(FOOD, Money(1250))])
        sale.agree(Pin(PIN))
        assert sale.commit().state is State.CLOSED
        sale.finish()
    return trace


def shape(trace: list[Exchange]) -> list[tuple[str, bytes, int, int, bytes]]:
    """What must not depend on the way: name, header, lengths, status; randoms differ."""
    return [
        (item.name, item.command[:4], len(item.command), len(item.answer or b""),
         (item.answer or b"")[-2:])
        for item in trace
    ]  # fmt: skip


def test_a_sale_is_ten_commands_and_438_bytes_here_and_through_pcscd(
    stage: Stage, insert: Insert
) -> None:
    here = sold(stage, "here", stage.card(number=1).plug())
    insert(stage.card(number=2).card)
    connection = pcsc.connect()
    there = sold(stage, "there", connection)
    connection.close()

    assert (len(here), sum(item.size for item in here)) == (COMMANDS, BYTES)
    assert shape(there) == shape(here)


def test_the_trace_is_the_golden_one_and_the_one_in_the_card_profile(stage: Stage) -> None:
    trace = sold(stage, "here", stage.card().plug())
    golden = vectors.suite_1()["sale"]
    rows = [
        line.split("|") for line in CARD_PROFILE.read_text("utf-8").splitlines()
        if line.startswith("| ") and line.split("|")[1].strip().isdigit() and line.count("|") == 7
    ]  # fmt: skip
    told = [(int(row[4]), int(row[5])) for row in rows]

    assert [bytes.fromhex(step["command"])[:4] for step in golden] == [
        item.command[:4] for item in trace
    ]
    assert told == [(len(item.command), len(item.answer or b"")) for item in trace]
