"""A new key set is announced, handed out sealed, and begun by two people."""

import pytest
from nacl.public import PrivateKey, SealedBox

from backend.errors import ConflictError, NotPermittedError, UnknownError
from backend.services.keys.key_sets import KeySetOffice
from cardlib.errors import AuthenticityError
from cardlib.wire.enrolment import ModuleKeys
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_keys import KeyAnswer, KeyRequest
from tests.integration.card_sessions.bench import (
    DESK,
    ISSUER,
    TILL,
    Town,
    station_key,
)

BOX_SEED = bytes(range(32))
BOX = bytes(PrivateKey(BOX_SEED).public_key)


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
