"""The module rule before an applet card: what the module verifies before it MACs one DEBIT."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cardlib.codec.apdu import Response
from cardlib.codec.applet import AppletState, InitialiseAnswer, state_counter_block
from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, CardAnswerError, MalformedError, PurseRefusedError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.soft_applet import SoftAppletSession
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.keys.suites import suite_of
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.entry import decode_entry
from cardlib.wire.entry_body import Intent
from tests import vectors
from tests.unit.cardlib.test_module_rule import (
    GOLDEN,
    MASTER,
    TERMINAL,
    GoldenRandom,
    intent,
    plan,
)
from tests.unit.cardlib.test_purse_records import INFO, INPUTS

RANDOM = bytes.fromhex(INPUTS["rnd_ifd"])
CHALLENGE = b"\x01\x02\x03\x04\x05"
KEYS = DebitKeys.derive(MASTER.key, INFO)


def answer(**changes: Any) -> bytes:
    """INITIALISE's answer for the record that the golden intent follows."""
    body = decode_entry(GOLDEN).body
    assert isinstance(body, Intent)
    spend = records.open_spend(KEYS.record, body.newest_record)
    assert spend is not None
    random = changes.pop("random", RANDOM)
    encryptor = Cipher(AES128(KEYS.record), CTR(state_counter_block(CHALLENGE, random))).encryptor()
    state = encryptor.update(bytes(AppletState(replace(spend, **changes), {1: 1})))
    made = InitialiseAnswer(INFO, CHALLENGE, state, bytes(8))
    head = bytes.fromhex("80500000")
    code = secure_messaging.mac(suite_of(1), KEYS.response, random, head, made.covered)
    return bytes(replace(made, code=code))


def initialised(*, read: bool = True, **changes: Any) -> SoftAppletSession:
    session = SoftModule(KeyRing(TERMINAL, (MASTER,)), GoldenRandom()).initialise()
    if read:
        session.open_state(Response(answer(**changes), 0x9000))
    return session


def test_the_golden_intent_becomes_a_debit_and_the_golden_record() -> None:
    session = initialised()

    command = session.update_spend(intent())

    cents = int.from_bytes(command.data[:3], "big")
    body = decode_entry(GOLDEN).body
    assert isinstance(body, Intent)
    assert (command.header[:3].hex(), cents) == ("805401", body.lines[0].cents)
    assert len(bytes(command)) == 37


def test_the_proof_is_the_golden_record_with_the_cards_certificate() -> None:
    session = initialised()
    command = session.update_spend(intent())
    record = bytes.fromhex(vectors.entries()["record"])
    certificate = bytes(range(8))
    covered = b"\x81\x36" + record + b"\x8e\x08" + certificate
    code = secure_messaging.mac(suite_of(1), KEYS.response, RANDOM, command.header, covered)
    assert session.update_confirmed(Response(code + certificate, 0x9000))

    assert session.proof is not None
    assert (session.proof.record, session.proof.tc) == (record, certificate)


@pytest.mark.parametrize(
    "response",
    [Response(bytes(16), 0x9000), Response(b"", 0x9000), Response(bytes(16), 0x6985)],
)
def test_without_a_good_mac_there_is_no_proof(response: Response) -> None:
    session = initialised()
    session.update_spend(intent())

    assert not session.update_confirmed(response)
    assert session.proof is None


def test_one_session_gives_one_debit() -> None:
    session = initialised()
    session.update_spend(intent())

    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.update_spend(intent())


def test_an_answer_heard_again_brings_no_challenge_back() -> None:
    session = initialised()
    session.update_spend(intent())

    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.open_state(Response(answer(), 0x9000))
    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.update_spend(intent())


def test_without_a_verified_answer_there_is_no_debit() -> None:
    session = initialised(read=False)
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        session.open_state(Response(answer(random=bytes(8)), 0x9000))

    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.update_spend(intent())


def test_an_answer_that_is_none_has_a_name() -> None:
    session = initialised(read=False)

    with pytest.raises(CardAnswerError):
        session.open_state(Response(b"", 0x6985))
    with pytest.raises(MalformedError):
        session.open_state(Response(bytes(10), 0x9000))


def test_another_terminals_intent_is_refused() -> None:
    with pytest.raises(AuthenticityError):
        initialised().update_spend(intent(key=SigningKey(bytes(32))))


@pytest.mark.parametrize(
    "changes",
    [{"info_core": bytes([1]) + bytes(15)}, {"newest_record": bytes(54)}],
    ids=["another purse", "another record"],
)
def test_an_intent_for_another_card_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AuthenticityError, match="MODULE_OTHER_CARD"):
        initialised().update_spend(intent(**changes))


def test_a_card_that_has_moved_on_is_another_card() -> None:
    with pytest.raises(AuthenticityError, match="MODULE_OTHER_CARD"):
        initialised(seq=9).update_spend(intent())


@pytest.mark.parametrize(
    "changes",
    [{"ctr": 6}, {"totals": (0, 0, 0, 0, 0, 0)}, {"prev": bytes(4)}, {"type": SpendType.VOID}],
    ids=["counter skipped", "spent value re-opened", "other chain", "void"],
)
def test_a_plan_that_does_not_follow_from_the_read_is_refused(changes: dict[str, Any]) -> None:
    voided: dict[str, Any] = {"voided": 1} if "type" in changes else {}

    with pytest.raises(AuthenticityError, match="MODULE_PLAN_WRONG"):
        initialised().update_spend(intent(plan=plan(**changes), **voided))


def test_a_purse_whose_keys_are_not_here_is_not_served() -> None:
    session = SoftModule(KeyRing(TERMINAL), GoldenRandom()).initialise()

    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        session.open_state(Response(answer(), 0x9000))
