"""The till killed (SIGKILL) at every durable step of a sale, of a void and of recovery.

The child is forked before it opens any database; the card lives in its image file, which
the virtual card saves before each answer leaves.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.wire.entry import Entry
from cardlib.wire.money import Money
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.faults import ForgedStatus, Shim, every, nth
from terminal.sale.offer import Item
from terminal.till import Till
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
)

SOME_CASES = 10

UPDATE = 0xDC
SALE_POINTS = 24
"""Before and after each of 10 commands, in and after each of 2 commits."""


class Killer:
    """Kills this process at its ``fatal``-th point; counts only, when that is 0."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.points = 0

    def point(self) -> None:
        self.points += 1
        if self.points == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class KillingReader(Shim):
    """A reader on a machine that may lose power before or after any command."""

    def __init__(self, inner: CardConnection, killer: Killer) -> None:
        super().__init__(inner)
        self._killer = killer

    def transmit(self, apdu: bytes) -> bytes:
        self._killer.point()
        answer = super().transmit(apdu)
        self._killer.point()
        return answer


def deadly(till: Till, killer: Killer) -> None:
    """Points in the middle of every commit of the journal, and right after it."""
    journal, append = till.journal, till.journal.append

    def in_commit() -> bool:
        killer.point()
        return False

    def appending(*bodies: object, **named: object) -> Entry:
        entry = append(*bodies, **named)  # type: ignore[arg-type]
        killer.point()
        return entry

    journal._db.set_commit_hook(in_commit)
    journal.append = appending  # type: ignore[method-assign]


def on_file(stage: Stage, path: Path, made: StageCard | None = None) -> StageCard:
    """The card whose image is at ``path``, written there first when it is new."""
    made = made or stage.card()
    if not path.exists():
        path.write_bytes(image.encode(made.card.memory))
    card = VirtualCard.load(path, SeededRandomness(f"chip {path.stat().st_mtime_ns}"))
    return StageCard(card, made.info, made.keys, made.start)


def in_child(work: Callable[[], int]) -> int | None:
    """What ``work`` returned in a process of its own; None when it was killed."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    return os.WEXITSTATUS(status)


def shop_on(
    stage: Stage, path: Path, killer: Killer, wrap: Callable[[CardConnection], CardConnection]
) -> Customer:
    till = stage.till()
    deadly(till, killer)
    return Customer(till, KillingReader(wrap(on_file(stage, path).plug()), killer))


def straight(connection: CardConnection) -> CardConnection:
    return connection


def sell(stage: Stage, path: Path, fatal: int) -> int | None:
    def work() -> int:
        killer = Killer(fatal)
        shop_on(stage, path, killer, straight).buy(12_50)
        return killer.points

    return in_child(work)


def settle_and_sell_again(stage: Stage, path: Path) -> None:
    """What the next start does, and that the books are right before and after."""
    card = on_file(stage, path)
    with stage.till() as till:
        assert_books(card, till)
        shop = Customer(till, card.plug())
        shop.counter.recovery().settle(shop.card)
        assert not till.journal.views.unsettled()
        assert_books(card, till)
        assert shop.buy(1_00).goods_are_due
        assert_books(card, till)


def test_a_sale_has_as_many_points_as_are_killed_below(stage: Stage) -> None:
    assert sell(stage, stage.folder / "card.img", 0) == SALE_POINTS


@pytest.mark.parametrize("fatal", range(1, SALE_POINTS + 1))
def test_a_till_killed_anywhere_in_a_sale_finds_the_truth(stage: Stage, fatal: int) -> None:
    path = stage.folder / "card.img"
    assert sell(stage, path, fatal) is None
    settle_and_sell_again(stage, path)


@pytest.mark.parametrize("fatal", range(1, 16))
def test_a_till_killed_in_recovery_recovers_again(stage: Stage, fatal: int) -> None:
    """The debit is on the card, its answer was forged; recovery itself is killed."""
    path = stage.folder / "card.img"

    def fail_to_hear() -> int:
        wrap = lambda inner: ForgedStatus(inner, nth(1, UPDATE))  # noqa: E731
        shop_on(stage, path, Killer(0), wrap).buy(12_50)
        return 0

    def recover() -> int:
        killer = Killer(fatal)
        shop = shop_on(stage, path, killer, straight)
        shop.counter.recovery().settle(shop.card)
        return killer.points

    assert in_child(fail_to_hear) == 0
    points = in_child(recover)
    assert points is None or points < fatal
    settle_and_sell_again(stage, path)


@pytest.mark.parametrize("fatal", range(1, 29))
def test_a_till_killed_in_a_void_finds_the_truth(stage: Stage, fatal: int) -> None:
    path = stage.folder / "card.img"

    def void() -> int:
        killer = Killer(fatal)
        sale = shop_on(stage, path, killer, straight).session()
        sale.read()
        sale.void()
        sale.agree(Pin(PIN))
        sale.commit()
        return killer.points

    assert sell(stage, path, 0) == SALE_POINTS
    in_child(void)
    settle_and_sell_again(stage, path)


@pytest.mark.parametrize("fatal", range(9, 28))
def test_a_till_killed_while_it_retries_finds_the_truth(stage: Stage, fatal: int) -> None:
    """The first UPDATE never reached the card; points 17 on are the fresh read and the retry."""
    path = stage.folder / "card.img"

    def retry() -> int:
        killer = Killer(fatal + 8)
        held_once = nth(1, UPDATE)
        wrap = lambda inner: _Swallow(inner, held_once)  # noqa: E731
        sale = shop_on(stage, path, killer, wrap).session()
        sale.read()
        sale.basket([Item(FOOD, Money(12_50))])
        sale.agree(Pin(PIN))
        sale.commit()
        sale.resolve()
        sale.retry(Pin(PIN))
        return killer.points

    in_child(retry)
    settle_and_sell_again(stage, path)


class _Swallow(Shim):
    """A command that never reaches the card."""

    def __init__(self, inner: CardConnection, when: Callable[[bytes], bool]) -> None:
        super().__init__(inner)
        self._when = when

    def transmit(self, apdu: bytes) -> bytes:
        return b"\x69\x85" if self._when(apdu) else super().transmit(apdu)


def test_a_debit_is_on_the_card_before_the_till_dies(stage: Stage) -> None:
    """The point after the UPDATE: the journal has the intent only, the card the record."""
    path = stage.folder / "card.img"
    after_update = 2 * 7 + 2 + 2
    assert sell(stage, path, after_update) is None
    card = on_file(stage, path)
    with stage.till() as till:
        assert codes(till) == ["grant_seen", "intent"]
        assert card.newest().ctr == 1
        shop = Customer(till, card.plug())
        shop.counter.recovery().settle(shop.card)
        assert codes(till)[-1] == "recovered"


def test_every_answer_forged_still_ends_in_the_truth(stage: Stage) -> None:
    path = stage.folder / "card.img"
    card = on_file(stage, path)
    with stage.till() as till:
        shop = Customer(till, ForgedStatus(card.plug(), every(UPDATE), 0x6F00))
        shop.buy(2_00)
        shop.counter.recovery().settle(shop.card)
        assert_books(card, till)
