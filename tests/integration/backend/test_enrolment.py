"""Terminals: one code, one key, fifteen minutes."""

import pytest
from nacl.public import PrivateKey, SealedBox

from backend.errors import ConflictError, NotGenuineError, NotPermittedError, UnknownError
from backend.services.keys.key_sets import KeySetOffice
from cardlib.errors import AuthenticityError
from cardlib.wire import cbor, sign1
from cardlib.wire.bundle import Bundle
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer, EnrolmentRequest, ModuleKeys
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_keys import KeyAnswer, KeyRequest
from tests.integration.backend.books import alarms
from tests.integration.backend.builders import ISSUER, Town

KEY = SigningKey(b"\x09" * 32)
BOX = PrivateKey(b"\x0a" * 32)
SMALL_ORDER = bytes([1]) + bytes(31)
"""The identity: one fixed signature would pass for any message."""


def request(code: str, key: SigningKey = KEY) -> bytes:
    return EnrolmentRequest(code, key.public, bytes(BOX.public_key)).sign(key)


def test_an_enrolled_terminal_gets_certificate_keys_and_bundle(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    answer = EnrolmentAnswer.decode(town.enrolment.enrol(request(code)))
    certificate = Certificate.open(answer.certificate, answer.operator_key)
    assert (certificate.terminal, certificate.merchant_name) == (1, "Bottega Rossi")
    assert certificate.public_key == KEY.public
    keys = ModuleKeys.decode(SealedBox(BOX).decrypt(answer.sealed_keys))
    assert [master.issuer.hex() for master in keys.masters] == [ISSUER]
    assert keys.masters[0].key == town.keys.masters(bytes.fromhex(ISSUER), 1).debit
    assert Bundle.open(answer.bundle, answer.operator_key).issuer_keys


def test_the_same_request_again_gets_the_same_answer(town: Town) -> None:
    complete = request(town.enrolment.issue_code(town.shop, KEY.public.fingerprint))
    assert town.enrolment.enrol(complete) == town.enrolment.enrol(complete)
    with town.work.begin() as unit:
        assert len(unit.terminals.all()) == 1


def test_a_code_is_used_once(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    town.enrolment.enrol(request(code))
    with pytest.raises(ConflictError, match="ENROLMENT_CODE_USED"):
        town.enrolment.enrol(request(code.lower()))


def test_a_code_lives_fifteen_minutes(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    town.clock.sleep(15 * 60)
    with pytest.raises(NotGenuineError, match="ENROLMENT_CODE_OLD"):
        town.enrolment.enrol(request(code))


def test_a_code_is_for_the_key_that_the_operator_compared(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    with pytest.raises(NotGenuineError, match="ENROLMENT_KEY_OTHER"):
        town.enrolment.enrol(request(code, SigningKey(b"\x0b" * 32)))


def test_a_wrong_code_is_refused(town: Town) -> None:
    with pytest.raises(NotGenuineError, match="ENROLMENT_CODE_BAD"):
        town.enrolment.enrol(request("2222-2222-2222"))


def test_a_code_needs_a_merchant(town: Town) -> None:
    with pytest.raises(UnknownError, match="MERCHANT_UNKNOWN"):
        town.enrolment.issue_code(99, KEY.public.fingerprint)


def test_a_small_order_key_is_refused(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    payload = cbor.encode({1: code, 2: SMALL_ORDER, 3: bytes(32)})
    complete = sign1.assemble(bytes(8), payload, SMALL_ORDER + bytes(32))
    with pytest.raises(AuthenticityError, match="KEY_WEAK"):
        town.enrolment.enrol(complete)


def test_possession_of_the_key_is_shown(town: Town) -> None:
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    complete = bytearray(request(code))
    complete[-1] ^= 1
    with pytest.raises(AuthenticityError, match="SIGNATURE_BAD"):
        town.enrolment.enrol(bytes(complete))


def test_a_key_is_enrolled_once(town: Town) -> None:
    for_first = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    again = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    town.enrolment.enrol(request(for_first))
    with pytest.raises(ConflictError, match="TERMINAL_KEY_KNOWN"):
        town.enrolment.enrol(request(again))


@pytest.mark.parametrize("kind", list(ModuleClass))
def test_later_keys_are_sealed_to_the_enrolled_module_only(town: Town, kind: ModuleClass) -> None:
    """Whoever signs with a module card must not get the masters that it keeps, in clear."""
    code = town.enrolment.issue_code(town.shop, KEY.public.fingerprint)
    town.enrolment.enrol(EnrolmentRequest(code, KEY.public, bytes(BOX.public_key), kind).sign(KEY))
    office, till = KeySetOffice(town.work, town.keys, town.clock), TerminalNumber(1)
    number = office.announce(ISSUER, "ada")
    held = ((bytes.fromhex(ISSUER), number),)
    thief = PrivateKey(b"\x0c" * 32)

    with pytest.raises(NotPermittedError, match="TERMINAL_BOX_OTHER"):
        office.hand_out(KeyRequest(bytes(thief.public_key), held), till)
    assert alarms(town) == ["TERMINAL_BOX_OTHER"]
    assert [status.holding for status in office.status(ISSUER)] == [()]

    complete = office.hand_out(KeyRequest(bytes(BOX.public_key), held), till)
    sealed = KeyAnswer.open(complete, town.keys.operator_key().public).sealed
    assert len(ModuleKeys.decode(SealedBox(BOX).decrypt(sealed)).masters) == 2
