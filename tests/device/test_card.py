"""What a real card in a real reader must do for a till to use it."""

from pathlib import Path

import pytest

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.dialogues.inspect import CardSummary, LogLine, inspect_card, read_log
from cardlib.dialogues.probe import Reply, Report, probe_card
from cardlib.errors import AuthenticityError
from cardlib.keys.training import TRAINING_PIN
from cardlib.system import SystemClock
from cardlib.wire.money import Money
from terminal.counter import Counter
from terminal.doctor import chip
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from tests.device.till import GOODS, training_till

ONE_CENT = Money(1)
FILE_CARD_NEEDS = (
    "short_file_ids", "challenge_of_8", "give_random_cla_80", "read_with_mac",
    "random_serves_several_answers", "mse_chooses_answer_key", "selection_clears_random",
)  # fmt: skip


def log_of(connection: CardConnection, summary: CardSummary) -> list[LogLine]:
    """Kind, number and hash of the last twenty records, as anybody may read them."""
    return Channel(connection).run(read_log(summary.purses[0].directory)) if summary.purses else []


def test_the_card_says_what_it_is(summary: CardSummary) -> None:
    assert summary.card_id or summary.has_services, "neither CRS nor white card"


def test_the_probe_leaves_the_card_as_it_was(
    connection: CardConnection, summary: CardSummary
) -> None:
    before = log_of(connection, summary)
    found = chip.ask(connection, SystemClock(), None)
    print("\n".join(chip.told(found, "en")))
    assert not found.gone
    assert Channel(connection).run(inspect_card()) == summary
    assert log_of(connection, summary) == before


def test_a_purse_can_be_read_by_the_file_cards_driver(
    connection: CardConnection, summary: CardSummary
) -> None:
    if not summary.purses:
        pytest.skip("no purse on this card")
    report: Report = Channel(connection).run(probe_card())
    denied = {name: report[name].detail for name in FILE_CARD_NEEDS if not yes(report, name)}
    assert denied == {}, "this chip needs the legacy driver, or a profile of its own"


def yes(report: Report, question: str) -> bool:
    return report[question].reply is Reply.YES


def test_one_cent_is_sold_and_taken_back(
    connection: CardConnection,
    training_card: CardSummary,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Two records more on the card, and the same balance."""
    pin = Pin(request.config.getoption("--training-pin") or TRAINING_PIN)
    with training_till(tmp_path / "till") as till:
        counter = Counter(till)
        card = counter.card(connection)
        try:
            before = card.read()
        except AuthenticityError:
            pytest.skip("a training purse with keys of its own")
        with counter.sale(card) as sale:
            sale.read()
            sale.basket([Item(GOODS, ONE_CENT)])
            agree(sale, pin)
            assert sale.commit().goods_are_due
            sale.finish()
        with counter.sale(card) as back:
            back.read()
            back.void()
            agree(back, pin)
            assert back.commit().goods_are_due
            back.finish()
        after = card.read()
        assert after.spend.spent == before.spend.spent
        assert after.spend.ctr == before.spend.ctr + 2
        assert till.journal.check().good


def agree(sale: SaleSession, pin: Pin) -> None:
    """On the reader's keypad where it has one: somebody types the PIN there, twice in all."""
    if sale.pin_pad:
        sale.agree_on_pad()
    else:
        sale.agree(pin)
