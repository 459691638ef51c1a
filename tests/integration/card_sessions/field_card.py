"""A card in the field whose key set is changed: what a till reads, and what the books hold."""

from cardlib.channel import Channel
from cardlib.codec.purse import EMPTY_GRANT
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.file_card import FileCard
from cardlib.errors import PurseRefusedError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.ids import PurseId
from simulator.card.randomness import SeededRandomness
from tests.integration.card_sessions.bench import (
    ISSUER,
    TILL,
    Card,
    Town,
    station_key,
)

MONEY = {1: 3750, 2: 700}


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
