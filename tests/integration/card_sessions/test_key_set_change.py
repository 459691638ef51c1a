"""Key sets rolled over while cards are in the field: torn anywhere, finished by the next."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from nacl.public import PrivateKey, SealedBox

from backend.errors import ConflictError, NotPermittedError, UnknownError
from backend.services.keys.key_sets import KeySetOffice
from cardlib.channel import Channel
from cardlib.codec.purse import EMPTY_GRANT, SpendType
from cardlib.connection import CardConnection
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.file_card import FileCard
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.intent_rule import record_hash
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import DebitMaster, ModuleKeys
from cardlib.wire.ids import PurseId, TerminalNumber
from cardlib.wire.module_keys import KeyAnswer, KeyRequest
from simulator.card.masks import WHITE_APPLET
from simulator.card.randomness import SeededRandomness
from simulator.faults import (
    HeldBack,
    Mute,
    ResetBefore,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    WrongMac,
    nth,
)
from simulator.pin_pad import CANCELS, WAITS, Act, KeypadReader, types
from terminal.agent.card_session import run_session
from tests.cases import chosen
from tests.databases import Databases
from tests.integration.card_sessions.bench import (
    DESK,
    ISSUER,
    TILL,
    Card,
    DyingWork,
    RestartingUplink,
    Town,
    Uplink,
    station_key,
)
from tests.integration.card_sessions.conftest import Snapshot

Break = Callable[[Card, int], CardConnection]
BREAKS: dict[str, Break] = {
    "before": lambda card, n: TearBefore(card.line, nth(n)),
    "after": lambda card, n: TearAfter(card.line, nth(n)),
    "damaged": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_NEW),
    "oldest": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_OLDEST),
    "mute": lambda card, n: Mute(card.line, nth(n)),
    "reset": lambda card, n: ResetBefore(card.line, nth(n)),
}
BOX_SEED = bytes(range(32))
BOX = bytes(PrivateKey(BOX_SEED).public_key)
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
def in_the_field(databases: Databases, founded: tuple[str, Town]) -> Snapshot:
    database, twin = founded
    town = Town(databases.restore(database), twin, "field")
    card = town.purse_card("field")
    for slot, cents in ((1, 5000), (2, 700)):
        town.order(card, cents, slot=slot, programme=slot)
        assert town.load(card).outcome == "LOAD_DONE"
    card.debit(1250)
    assert town.begin_key_set() == 2
    return Snapshot(databases.keep(), town, card)


@pytest.fixture
def field_card(databases: Databases, in_the_field: Snapshot) -> Card:
    """37.50 in one wallet and 7.00 in another, a sale on its way, a new key set begun."""
    at = in_the_field
    return at.card.copy(Town(databases.restore(at.database), at.town, "renewing"))


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
        grants = unit.cards.grants_of(purse.id)
        on_card = [row for row in grants if row.state == "on_card"]
    assert [row.state for row in grants if row.info_core == card.info.core] == ["on_card"] * 2
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


@pytest.mark.parametrize("number", [2, 5, 8])
def test_nothing_is_loaded_onto_a_purse_between_two_key_sets(field_card: Card, number: int) -> None:
    town = field_card.town
    town.renew(field_card, TearAfter(field_card.line, nth(number, ins=0x24)))
    town.order(field_card, 1000)

    assert town.load(field_card).outcome == "CARD_BEING_RENEWED"
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert town.load(field_card).outcome == "LOAD_DONE"
    assert balances(till_reads(field_card)) == {1: 4750, 2: 700}
    town.check_books()


class SellsInBetween:
    """A dishonest station with the new shop keys: it writes a sale of its own once the core is
    changed, the citizen's PIN still presented, and lets the change go on."""

    def __init__(self, card: Card, cents: int) -> None:
        self._card, self._line, self._cents = card, card.line, cents

    def transmit(self, apdu: bytes) -> bytes:
        answer = self._line.transmit(apdu)
        if apdu.startswith(bytes.fromhex("0CD6810C")):
            self._sell()
        return answer

    def reset(self) -> None:
        self._line.reset()

    def _sell(self) -> None:
        file, keys = self._card._file(3), self._card.town.keys
        old = PurseKeys.derive(keys.masters(ISSUER, 1), replace(self._card.info, key_set=1))
        before = records.open_spend(old.debit.record, file.records[0])
        assert before is not None
        first, two, three, four, five, six = before.spent
        sale = replace(
            before, type=SpendType.SALE, ctr=before.ctr + 1,
            spent=(first + self._cents, two, three, four, five, six),
            intent_hash=b"\x07" * 8, terminal=TILL, prev=record_hash(file.records[0])[:4],
        )  # fmt: skip
        sealed = records.seal_spend(self._card.keys.debit.record, sale)
        file.records = [sealed, *file.records[:-1]]


def test_a_record_written_in_between_is_not_written_over(field_card: Card) -> None:
    """The init record would put back what that sale took: a shop's claim, and value for all."""
    town = field_card.town

    done = town.renew(field_card, SellsInBetween(field_card, 2000))  # type: ignore[arg-type]

    assert done.outcome == "CARD_READ_BACK_DIFFERS"
    assert town.alarms() == ["CARD_READ_BACK_DIFFERS"]
    assert balances(till_reads(field_card)) == {1: 1750, 2: 700}
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 1750, 2: 700}
    town.check_books()


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


def test_a_void_that_no_till_has_told_of_yet_holds_up_no_change(field_card: Card) -> None:
    town = field_card.town
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"  # the sale is proven
    field_card.debit(-1250, void=True)
    assert town.renew(field_card, TearAfter(field_card.line, nth(3, ins=0x24))).outcome == (
        "CARD_GONE"
    )

    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 5000, 2: 700}
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"
    assert town.alarms() == []
    town.check_books()


def test_a_load_on_its_way_comes_before_the_change(field_card: Card) -> None:
    town = field_card.town
    town.order(field_card, 1000)
    town.load(field_card, TearBefore(field_card.line, nth(1, ins=0xDC)))

    assert town.renew(field_card).outcome == "KEY_CHANGE_LOAD_FIRST"
    assert field_card.info.key_set == 1
    assert town.load(field_card).outcome == "LOAD_DONE"
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 4750, 2: 700}


@pytest.mark.parametrize(("typed", "outcome"), [("", "PIN_NEEDED"), ("99999", "PIN_NEEDED")])
def test_without_the_citizens_pin_nothing_is_changed(
    field_card: Card, typed: str, outcome: str
) -> None:
    keys = field_card.key_objects

    assert field_card.town.renew(field_card, pin=typed).outcome == outcome
    assert field_card.key_objects == keys
    assert balances(till_reads(field_card)) == MONEY
    field_card.town.order(field_card, 1000)
    assert field_card.town.load(field_card).outcome == "LOAD_DONE"


def test_a_card_that_shows_more_than_the_books_is_not_renewed(field_card: Card) -> None:
    keys, town = field_card.key_objects, field_card.town
    town.load(field_card)  # the card tells of its sale, the books follow
    field_card.debit(-200)

    assert town.renew(field_card).outcome == "CARD_ABOVE_LEDGER"
    assert field_card.key_objects == keys


def test_a_till_with_the_old_set_only_never_writes(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card, TearAfter(field_card.line, nth(1, ins=0x24)))
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        till_reads(field_card, sets=(1,))
    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        till_reads(field_card, sets=(1, 2))
    town.renew(field_card)
    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        till_reads(field_card, sets=(1,))


def test_a_till_hears_of_a_change_by_the_records_alone(field_card: Card) -> None:
    town = field_card.town
    torn = town.renew(field_card, TearAfter(field_card.line, nth(1, ins=0xD6)))
    assert torn.outcome == "CARD_GONE"
    assert field_card.info.key_set == 2

    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        till_reads(field_card)


def test_an_emptied_map_costs_reads_and_nothing_else(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card, TearBefore(field_card.line, nth(2, ins=0xD6)))

    assert balances(till_reads(field_card)) == MONEY
    assert town.renew(field_card).outcome == "KEY_SET_CURRENT"
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"
    assert field_card.info.record_map == sum(1 << (number - 1) for number in field_card.grants)


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


def test_a_key_set_is_begun_by_two_people_once_every_till_holds_it(town: Town) -> None:
    office = KeySetOffice(town.work, town.keys, town.clock)
    issuer = ISSUER.hex()
    with pytest.raises(UnknownError, match="KEY_SET_NOT_ANNOUNCED"):
        office.begin(issuer, "bea")
    assert office.announce(issuer, "ada") == 2
    with pytest.raises(ConflictError, match="KEY_SET_PENDING"):
        office.announce(issuer, "ada")
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        office.begin(issuer, "ada")
    with pytest.raises(ConflictError, match="KEY_SET_NOT_HELD") as refused:
        office.begin(issuer, "bea", without=(DESK,))
    assert refused.value.facts["terminal"] == TILL
    card = town.purse_card("early")
    assert card.info.key_set == 1
    assert town.renew(card).outcome == "KEY_SET_CURRENT"

    assert office.begin(issuer, "bea", without=(DESK, TILL)) == 2
    assert town.purse_card("late").info.key_set == 2


def test_a_stranger_cannot_say_that_a_till_holds_a_key_set(town: Town) -> None:
    office = KeySetOffice(town.work, town.keys, town.clock)
    office.announce(ISSUER.hex(), "ada")
    with town.work.begin() as unit:
        unit.terminals.terminal(TILL).state = "lost"
        unit.commit()

    with pytest.raises(NotPermittedError):
        office.hand_out(KeyRequest(bytes(32), ((ISSUER, 2),)), TerminalNumber(TILL))
    office.hand_out(KeyRequest(BOX, ((ISSUER, 2), (b"\x01\x02\x03", 9))), TerminalNumber(DESK))
    (status,) = office.status(ISSUER.hex())
    assert (status.holding, status.missing) == ((DESK,), ())


def test_a_till_gets_the_keys_of_every_set_in_use_sealed_to_itself(town: Town) -> None:
    office = KeySetOffice(town.work, town.keys, town.clock)
    office.announce(ISSUER.hex(), "ada")
    complete = office.hand_out(KeyRequest(BOX, ()), TerminalNumber(DESK))

    answer = KeyAnswer.open(complete, town.keys.operator_key().public)
    opened = ModuleKeys.decode(SealedBox(PrivateKey(BOX_SEED)).decrypt(answer.sealed))
    assert answer.terminal == DESK
    assert [(item.issuer, item.key_set) for item in opened.masters] == [(ISSUER, 1), (ISSUER, 2)]
    with pytest.raises(AuthenticityError):
        KeyAnswer.open(complete, station_key(DESK).public)


def test_a_chip_that_writes_its_records_itself_is_left_alone(town: Town) -> None:
    card = town.purse_card("applet", mask=WHITE_APPLET)
    town.begin_key_set()
    keys = card.key_objects

    assert town.renew(card).outcome == "KEY_CHANGE_NEW_CARD"
    assert card.key_objects == keys


def test_a_purse_at_its_last_counter_is_not_begun_with(field_card: Card) -> None:
    file, before = field_card._file(3), field_card.spend
    last = replace(before, ctr=0xFFFFFF, intent_hash=bytes(8))
    file.records = [records.seal_spend(field_card.keys.debit.record, last), *file.records[:-1]]
    keys = field_card.key_objects

    assert field_card.town.renew(field_card).outcome == "PURSE_FULL"
    assert field_card.key_objects == keys


@pytest.mark.parametrize("number", [1, 4, 8])
def test_a_key_held_back_dies_with_the_next_session(field_card: Card, number: int) -> None:
    town = field_card.town
    shim = HeldBack(field_card.line, nth(number, ins=0x24))
    town.renew(field_card, shim)
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    keys = field_card.key_objects
    for command in ("00A4080C041200B001", "0084000008", "80860000080102030405060708"):
        shim.transmit(bytes.fromhex(command))

    assert shim.release() == b"\x69\x88"
    assert field_card.key_objects == keys
    assert_renewed(field_card)


@pytest.mark.parametrize("number", [1, 5, 8])
def test_a_key_whose_confirmation_is_forged_is_changed_again(field_card: Card, number: int) -> None:
    town = field_card.town
    forged = WrongMac(field_card.line, nth(number, ins=0x24))

    assert town.renew(field_card, forged).outcome == "CARD_MAC_BAD"
    usable_or_being_renewed(field_card)
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert_renewed(field_card)


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        (("right",), "KEY_SET_CHANGED"),
        (("99999", "right"), "KEY_SET_CHANGED"),
        ((CANCELS,), "PIN_NEEDED"),
        ((WAITS,), "PIN_NEEDED"),
        (("99999", "99999", "99999"), "PIN_BLOCKED"),
    ],
)
def test_the_pin_is_typed_on_the_readers_keypad_where_it_has_one(
    field_card: Card, acts: tuple[str | Act, ...], outcome: str
) -> None:
    typed = [
        types(field_card.pin if act == "right" else act) if isinstance(act, str) else act
        for act in acts
    ]
    reader = KeypadReader(field_card.line, typed)
    opening, way = SessionOpening("renew", ""), Uplink(field_card.town.sessions)

    assert run_session(Channel(reader), way, opening).outcome == outcome
    assert field_card.info.key_set == (2 if outcome == "KEY_SET_CHANGED" else 1)
