"""Key sets rolled over while cards are in the field: torn anywhere, finished by the next."""

from collections.abc import Callable

import pytest

from cardlib.channel import Channel
from cardlib.codec.purse import EMPTY_GRANT, SpendType
from cardlib.connection import CardConnection
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.file_card import FileCard
from cardlib.errors import PurseRefusedError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.intent_rule import record_hash
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.ids import PurseId
from simulator.card.randomness import SeededRandomness
from simulator.faults import Mute, ResetBefore, Tear, TearAfter, TearBefore, TearDuring, nth
from tests.integration.card_sessions.bench import (
    ISSUER,
    TILL,
    Card,
    Town,
    Uplink,
    station_key,
)
from tests.integration.card_sessions.conftest import Disk, Snapshot

Break = Callable[[Card, int], CardConnection]
BREAKS: dict[str, Break] = {
    "before": lambda card, n: TearBefore(card.line, nth(n)),
    "after": lambda card, n: TearAfter(card.line, nth(n)),
    "damaged": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_NEW),
    "oldest": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_OLDEST),
    "mute": lambda card, n: Mute(card.line, nth(n)),
    "reset": lambda card, n: ResetBefore(card.line, nth(n)),
}
MONEY = {1: 3750, 2: 700}
KEY_ORDER = [3, 4, 5, 6, 2, 9, 8, 7]


class TillTrust:
    """What a till's bundle says of the issuer."""

    def __init__(self, town: Town) -> None:
        self._key = town.keys.grant_key(ISSUER, 1).public

    def issuer_key(self, issuer: bytes, _key_id: int) -> PublicKey | None:
        return self._key if issuer == ISSUER else None

    def least_grant_seq(self, _purse: PurseId) -> int:
        return 0


def till_reads(card: Card, sets: tuple[int, ...] = (1, 2)) -> PurseState:
    """What a till that holds ``sets`` sees of the purse."""
    keys = card.town.keys
    masters = tuple(
        DebitMaster(ISSUER, number, keys.masters(ISSUER, number).debit) for number in sets
    )
    module = SoftModule(KeyRing(station_key(TILL), masters), SeededRandomness("till"))
    return FileCard(Channel(card.line), module, TillTrust(card.town)).read()


def balances(state: PurseState) -> dict[int, int]:
    return {slot: wallet.balance.cents for slot, wallet in state.wallets.items()}


def usable_or_being_renewed(card: Card) -> None:
    """At every moment: the full value, or a refusal that says why. Nothing else."""
    assert seen_by_a_till(card) in (MONEY, "CARD_BEING_RENEWED")


def seen_by_a_till(card: Card) -> dict[int, int] | str:
    """Balances, or why there are none to be had."""
    try:
        return balances(till_reads(card))
    except PurseRefusedError as refused:
        return refused.code


@pytest.fixture(scope="module")
def in_the_field(disk: Disk, founded: tuple[bytes, Town]) -> Snapshot:
    database, twin = founded
    town = Town(disk.write(database), twin, "field")
    card = town.purse_card("field")
    for slot, cents in ((1, 5000), (2, 700)):
        town.order(card, cents, slot=slot, programme=slot)
        assert town.load(card).outcome == "LOAD_DONE"
    card.debit(1250)
    assert town.begin_key_set() == 2
    return Snapshot(disk.read(), town, card)


@pytest.fixture
def field_card(disk: Disk, in_the_field: Snapshot) -> Card:
    """37.50 in one wallet and 7.00 in another, a sale on its way, a new key set begun."""
    at = in_the_field
    return at.card.copy(Town(disk.write(at.database), at.town, "renewing"))


def assert_renewed(card: Card) -> None:
    town = card.town
    assert card.info.key_set == 2
    derived = PurseKeys.derive(town.keys.masters(ISSUER, 2), card.info)
    assert card.key_objects[2] == derived.debit.command
    assert card.key_objects[7] == derived.admin_command
    state = till_reads(card)
    assert balances(state) == MONEY
    assert state.info.record_map == sum(1 << (number - 1) for number in card.grants)
    assert len(card.grants) == 2
    assert [card.grant_record(number) for number in range(1, 9)].count(EMPTY_GRANT) == 6
    with town.work.begin() as unit:
        purse = unit.cards.purse(card.purse)
        assert purse.info_core == card.info.core
        assert unit.key_sets.open_change(purse.id) is None
        on_card = [row for row in unit.cards.grants_of(purse.id) if row.state == "on_card"]
    assert sorted(row.slot for row in on_card) == [1, 2]
    assert {row.info_core for row in on_card} == {card.info.core}
    assert {slot: town.slot_money(card, slot) for slot in MONEY} == MONEY
    town.check_books()


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


COMMANDS = 95
"""Of one change of a purse with two wallets; a test counts them."""
FIRST_READ = 33
"""Commands up to the end of the first read: nothing is written before."""


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
    init = field_card.spend
    assert (init.type, init.ctr, init.spent) == (SpendType.INIT, before.ctr + 1, before.spent)
    assert (init.terminal, init.seq, init.day_spent) == (0, 0, before.day_spent)
    assert init.prev == record_hash(newest)[:4]
    assert_renewed(field_card)


def test_the_init_record_is_posted_with_nothing_from_an_attested_read(field_card: Card) -> None:
    town = field_card.town
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"

    with town.work.begin() as unit:
        purse = unit.cards.purse(field_card.purse)
        ctr = field_card.spend.ctr
        posted = [row for row in unit.verdicts.postings(purse.id, 0) if row.ctr == ctr]
        assert [(row.state, row.live, row.terminal) for row in posted] == [("proven", True, 0)]
        assert [part.cents for part in posted[0].parts] == []
        assert (purse.proven_ctr, purse.proven_hash) == (
            ctr, record_hash(field_card._file(3).records[0]),
        )  # fmt: skip


def test_a_renewed_card_is_loaded_and_sold_from(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card)
    field_card.debit(250)
    town.order(field_card, 1000)

    assert town.load(field_card).outcome == "LOAD_DONE"
    assert balances(till_reads(field_card)) == {1: 3750 - 250 + 1000, 2: 700}
    town.check_books()
    assert town.renew(field_card).outcome == "KEY_SET_CURRENT"


@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("number", [1, 4, 5, 6, 25, 26, *range(FIRST_READ + 1, COMMANDS + 1)])
def test_a_torn_change_is_finished_by_another_station(
    field_card: Card, kind: str, number: int
) -> None:
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
