"""A till meets a card in the middle of a key-set change: it says so and writes nothing."""

from dataclasses import replace

import pytest
from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from cardlib.codec.files import KeyId
from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.bundle import KeySet
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster, ModuleKeys
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_keys import KeyAnswer
from terminal.till import Till
from terminal.till_files import write_durably
from tests.integration.terminal.stage import (
    ISSUER,
    KEY_SET,
    Customer,
    Stage,
    StageCard,
    blank_spend,
    codes,
    following,
)

NEW_MASTER = bytes([0x77]) * 32


def till_with(stage: Stage, *key_sets: int) -> Till:
    """A till whose module holds these key sets; 2 is the new one."""
    masters = {KEY_SET: stage.masters.debit, 2: NEW_MASTER}
    held = tuple(DebitMaster(ISSUER, number, masters[number]) for number in key_sets)
    ring = KeyRing(SigningKey(bytes([502 & 0xFF]) * 32), held)
    return stage.till(module=SoftModule(ring, stage.randomness))


def new_keys(stage: Stage, card: StageCard) -> PurseKeys:
    masters = replace(stage.masters, debit=NEW_MASTER)
    return PurseKeys.derive(masters, replace(card.info, key_set=2))


@pytest.fixture
def card(stage: Stage) -> StageCard:
    """One whose key for answers has been changed, and nothing else."""
    card = stage.card()
    purse = card.card.memory.find((0x1200, 0xB001))
    assert purse is not None
    purse.keys[KeyId.DEBIT_RESPONSE] = new_keys(stage, card).debit.response
    return card


def test_answers_under_another_key_set_held_say_that_the_card_is_being_renewed(
    stage: Stage, card: StageCard
) -> None:
    till, before = till_with(stage, 1, 2), list(card.spend_file.records)

    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        Customer(till, card.plug()).session().read()

    assert codes(till) == ["declined CARD_BEING_RENEWED"]
    assert card.spend_file.records == before


def test_without_the_new_key_set_they_are_no_answers_at_all(stage: Stage, card: StageCard) -> None:
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        Customer(till_with(stage, 1), card.plug()).session().read()


def test_records_of_another_key_set_alone_say_the_same(stage: Stage) -> None:
    card = stage.card()
    keys = new_keys(stage, card)
    card.spend_file.records[0] = records.seal_spend(keys.debit.record, blank_spend())
    till, before = till_with(stage, 1, 2), list(card.spend_file.records)

    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        Customer(till, card.plug()).session().read()

    assert card.spend_file.records == before


def test_older_records_under_the_newest_one_disturb_nobody(stage: Stage) -> None:
    card = stage.card()
    file, keys = card.spend_file, new_keys(stage, card)
    below = records.seal_spend(keys.debit.record, blank_spend())
    newest = replace(following(below, blank_spend()), type=SpendType.INIT, ctr=1)
    sealed = records.seal_spend(card.keys.debit.record, newest)
    file.records = [sealed, below, *file.records[2:]]

    assert Customer(till_with(stage, 1, 2), card.plug()).buy(500).goods_are_due
    assert card.newest().spent[0] == 500


def test_a_module_takes_new_masters_while_a_till_sells(stage: Stage, card: StageCard) -> None:
    module = SoftModule(
        KeyRing(SigningKey(bytes(32)), (DebitMaster(ISSUER, KEY_SET, stage.masters.debit),)),
        stage.randomness,
    )
    assert not module.serves(replace(card.info, key_set=2))
    module.take_masters((DebitMaster(ISSUER, 2, NEW_MASTER),))

    assert module.key_sets == ((ISSUER, 1), (ISSUER, 2))
    assert module.serves(replace(card.info, key_set=2))
    assert module.serves(card.info)


def key_answer(stage: Stage, till: Till, signer: SigningKey, terminal: int = 502) -> bytes:
    """The new key set, sealed to ``till``."""
    keys = ModuleKeys((DebitMaster(ISSUER, 2, NEW_MASTER),)).encode()
    sealed = SealedBox(BoxKey(till.keys.box_key)).encrypt(keys)
    return KeyAnswer(TerminalNumber(terminal), sealed).sign(signer)


def test_a_till_takes_keys_from_its_operator_alone(stage: Stage) -> None:
    till = stage.till()
    card = stage.card()
    new = replace(card.info, key_set=2)
    for forged in (
        key_answer(stage, till, SigningKey(bytes([8]) * 32)),
        key_answer(stage, till, stage.operator, terminal=503),
    ):
        with pytest.raises(AuthenticityError):
            till.install_keys(forged)
        assert not till.module.serves(new)
        assert not till.files.module_keys.exists()

    till.install_keys(key_answer(stage, till, stage.operator))
    assert till.module.serves(new)


def test_keys_that_the_agent_fetched_are_taken_up_by_the_till_that_sells(stage: Stage) -> None:
    till = stage.till()
    new = replace(stage.card().info, key_set=2)
    write_durably(till.files.module_keys, key_answer(stage, till, stage.operator))
    assert not till.module.serves(new)

    till.refresh()

    assert till.module.serves(new)
    assert stage.till(503).key_sets_wanted() == frozenset()
    stage.install(key_sets=(KeySet(ISSUER, 2), KeySet(bytes(3), 2)))
    assert stage.till(504).key_sets_wanted() == {(ISSUER, 2)}
