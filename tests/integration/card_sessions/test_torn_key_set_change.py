"""A key-set change torn anywhere: the card says so, and the next session finishes it."""

from collections.abc import Callable

import pytest

from cardlib.codec.purse import SpendType
from cardlib.connection import CardConnection
from cardlib.errors import PurseRefusedError
from cardlib.keys.intent_rule import record_hash
from simulator.faults import (
    Mute,
    ResetBefore,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    nth,
)
from tests.cases import chosen
from tests.integration.card_sessions.bench import (
    TILL,
    Card,
    DyingWork,
    RestartingUplink,
    Town,
    Uplink,
)
from tests.integration.card_sessions.field_card import (
    MONEY,
    assert_renewed,
    balances,
    seen_by_a_till,
    till_reads,
    usable_or_being_renewed,
)

SOME_CASES = 16

Break = Callable[[Card, int], CardConnection]
BREAKS: dict[str, Break] = {
    "before": lambda card, n: TearBefore(card.line, nth(n)),
    "after": lambda card, n: TearAfter(card.line, nth(n)),
    "damaged": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_NEW),
    "oldest": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_OLDEST),
    "mute": lambda card, n: Mute(card.line, nth(n)),
    "reset": lambda card, n: ResetBefore(card.line, nth(n)),
}
KEY_ORDER = [3, 4, 5, 6, 2, 9, 8, 7]
COMMANDS = 98
"""Of one change of a purse with two wallets; a test counts them."""
RECORD_WRITES = (70, 74, 78, 82, 92)
FIRST_READ = 33
"""Commands up to the end of the first read: nothing is written before."""
KEY_WRITES = range(FIRST_READ + 2, 57, 3)
WRITES = (*KEY_WRITES, *sorted({*RECORD_WRITES, 86, 96}))
"""Keys; then grants, the core, the init record and the map. The same test finds them."""
BETWEEN = (1, FIRST_READ + 1, 36, 59, 64, 72, 88, COMMANDS)
"""The PIN, challenges, authentications and reads: the card stays as the write before left it."""


def commands_of_a_change(card: Card) -> list[tuple[int, int, int, int]]:
    """Headers, from a change on a copy of the card in the same town: rolled back after."""
    heard: list[tuple[int, int, int, int]] = []
    line = card.line

    class Listening:
        def transmit(self, apdu: bytes) -> bytes:
            heard.append((apdu[0], apdu[1], apdu[2], apdu[3]))
            return line.transmit(apdu)

        def reset(self) -> None:
            line.reset()

    card.town.renew(card, Listening())  # type: ignore[arg-type]
    return heard


def test_a_change_goes_in_the_order_of_the_protocol(field_card: Card) -> None:
    before = field_card.spend
    newest = field_card._file(3).records[0]

    heard = commands_of_a_change(field_card)

    changed = [p2 & 0x7F for cla, ins, _, p2 in heard if (cla, ins) == (0x9C, 0x24)]
    assert changed == KEY_ORDER
    writes = [(ins, p1, p2) for cla, ins, p1, p2 in heard if cla == 0x0C and ins != 0xB2]
    grants = [item for item in writes if item[2] == 0x14]
    assert writes == [*grants, (0xD6, 0x81, 12), (0xDC, 0, 0x1B), (0xD6, 0x81, 16)]
    assert len(heard) == COMMANDS
    numbers = [n for n, (_, ins, _, _) in enumerate(heard, 1) if ins in {0x24, 0xDC, 0xD6}]
    assert tuple(numbers) == WRITES
    init = field_card.spend
    assert (init.type, init.ctr, init.spent) == (SpendType.INIT, before.ctr + 1, before.spent)
    assert (init.terminal, init.seq, init.day_spent) == (0, 0, before.day_spent)
    assert init.prev == record_hash(newest)[:4]
    assert_renewed(field_card)


@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("number", chosen(range(1, COMMANDS + 1), (*WRITES, *BETWEEN)))
def test_a_torn_change_is_finished_by_another_station(
    field_card: Card, kind: str, number: int
) -> None:
    """Each write goes to the backend with its confirmation before the next one is given out.

    So before a write the backend knows of the one before, and after it of this one not yet:
    no other tear leaves another card and another backend. One of each other command is torn.
    """
    town = field_card.town
    torn = town.renew(field_card, BREAKS[kind](field_card, number))

    assert torn.outcome in {"CARD_GONE", "KEY_SET_CHANGED"}
    usable_or_being_renewed(field_card)
    done = town.renew(field_card, uplink=Uplink(town.sessions, TILL))
    if done.outcome == "KEY_SET_CURRENT":  # only the map was left: the next load's affair
        assert town.load(field_card).outcome in {"LOAD_TIDIED", "LOAD_NOTHING_WAITING"}
    else:
        assert done.outcome == "KEY_SET_CHANGED"
    assert_renewed(field_card)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *(("mute", number) for number in (2, 34, 35, 59, 70, 87, 90)),
        *(("reset", number) for number in (2, 34, 35, 59, 70, 87, 90)),
        *((kind, number) for kind in ("damaged", "oldest") for number in RECORD_WRITES),
    ],
)
def test_half_written_records_and_mute_cards_are_finished_too(
    field_card: Card, kind: str, number: int
) -> None:
    town = field_card.town
    town.renew(field_card, BREAKS[kind](field_card, number))

    usable_or_being_renewed(field_card)
    done = town.renew(field_card, uplink=Uplink(town.sessions, TILL)).outcome
    assert done in {"KEY_SET_CHANGED", "KEY_SET_CURRENT"}
    town.load(field_card)
    assert balances(till_reads(field_card)) == MONEY
    assert town.slot_money(field_card) == MONEY[1]
    town.check_books()


@pytest.mark.parametrize("first", range(1, 9))
def test_torn_twice_and_thrice_it_is_still_finished(field_card: Card, first: int) -> None:
    town = field_card.town
    for number in (first, 9 - first, 8):
        at = nth(number, ins=0x24)
        town.renew(field_card, TearAfter(field_card.line, at))
        usable_or_being_renewed(field_card)
    town.renew(field_card, TearAfter(field_card.line, nth(2, ins=0xDC)))
    town.renew(field_card, TearBefore(field_card.line, nth(1, ins=0xD6)))

    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert_renewed(field_card)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", chosen(range(1, 21), (1, 2, 3, 4, 7, 10, *range(11, 21))))
def test_a_backend_killed_around_a_commit_goes_on(
    field_card: Card, number: int, after: bool
) -> None:
    """The commits 3 to 10 are one a key, and each of them notes a key as the others do."""
    town = field_card.town
    dying = town.backend(DyingWork(town.work, number, after=after))
    uplink = RestartingUplink(dying, town.backend(town.work))

    done = town.renew(field_card, uplink=uplink)  # type: ignore[arg-type]

    assert (done.outcome, uplink.deaths) == ("KEY_SET_CHANGED", 1)
    assert_renewed(field_card)


@pytest.mark.parametrize("number", range(1, 9))
def test_superseded_grants_left_over_do_not_stop_a_torn_change(town: Town, number: int) -> None:
    """What was spent is above both of them: as wallets they would refuse the card."""
    card = town.purse_card("left over")
    for slot in (2, 1):
        town.order(card, 5000, slot=slot, programme=slot)
        assert town.load(card).outcome == "LOAD_DONE"
    for slot in (1, 2):
        town.order(card, 1000, slot=slot, programme=slot)
        town.load(card, TearBefore(card.line, nth(2, ins=0xDC)))
        card.debit(5500, slot=slot)
    assert len(card.grants) == 4
    town.begin_key_set()
    town.renew(card, TearAfter(card.line, nth(number, ins=0xDC)))

    assert town.renew(card).outcome in {"KEY_SET_CHANGED", "KEY_SET_CURRENT"}
    assert balances(till_reads(card)) == {1: 500, 2: 500}
    assert town.alarms() == []
    town.check_books()


def test_an_emptied_map_costs_reads_and_nothing_else(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card, TearBefore(field_card.line, nth(2, ins=0xD6)))

    assert balances(till_reads(field_card)) == MONEY
    assert town.renew(field_card).outcome == "KEY_SET_CURRENT"
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"
    assert field_card.info.record_map == sum(1 << (number - 1) for number in field_card.grants)


def test_a_till_hears_of_a_change_by_the_records_alone(field_card: Card) -> None:
    town = field_card.town
    torn = town.renew(field_card, TearAfter(field_card.line, nth(1, ins=0xD6)))
    assert torn.outcome == "CARD_GONE"
    assert field_card.info.key_set == 2

    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        till_reads(field_card)


@pytest.mark.parametrize("suite", [1, 2])
def test_six_wallets_are_brought_over_one_after_the_other(town: Town, suite: int) -> None:
    card = town.purse_card("six", suite=suite)
    for slot in range(1, 7):
        town.order(card, 100 * slot, slot=slot, programme=1 + slot % 2)
        assert town.load(card).outcome == "LOAD_DONE"
    card.debit(50, slot=3)
    town.begin_key_set()
    worth = {slot: 100 * slot for slot in range(1, 7)} | {3: 250}
    for number in (3, 6, 1):
        town.renew(card, TearAfter(card.line, nth(number, ins=0xDC)))
        assert seen_by_a_till(card) == "CARD_BEING_RENEWED"

    assert town.renew(card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(card)) == worth
    assert len(card.grants) == 6
    assert {slot: town.slot_money(card, slot) for slot in worth} == worth
    town.check_books()
