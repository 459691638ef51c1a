"""The module rule (PROTOCOL 3): what a security module refuses to MAC."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from cardlib.codec.apdu import Response
from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys.module import ModuleSession, SecurityModule
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire import sign1
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry import decode_entry, encode_payload
from cardlib.wire.entry_body import Intent, Plan
from simulator.module_card.card import ModuleCard
from tests import vectors
from tests.module_cards import card_module, ready_memory
from tests.unit.cardlib.test_purse_records import INFO, INPUTS, SUITE

Make: TypeAlias = Callable[..., SecurityModule]

TERMINAL = SigningKey(bytes.fromhex(vectors.entries()["terminal_seed_ed25519"]))
MASTER = DebitMaster(INFO.issuer, INFO.key_set, bytes.fromhex(INPUTS["m_debit"]))
CHALLENGE = bytes.fromhex(INPUTS["rnd_ic"])
GOLDEN = bytes.fromhex(vectors.entries()["entries"][0]["cose"])


OPERATOR = SigningKey(bytes([7]) * 32)


class GoldenRandom:
    """Gives the random of the golden sale."""

    def bytes(self, count: int) -> bytes:
        return bytes.fromhex(INPUTS["rnd_ifd"]).ljust(count, b"\x5a")[:count]


def soft(*masters: DebitMaster) -> SecurityModule:
    return SoftModule(KeyRing(TERMINAL, masters), GoldenRandom())


def card(*masters: DebitMaster) -> SecurityModule:
    number = decode_entry(GOLDEN).header.terminal
    memory = ready_memory(TERMINAL, number, OPERATOR, *masters, randomness=GoldenRandom())
    return card_module(ModuleCard(memory, GoldenRandom()), TERMINAL)


@pytest.fixture(params=[soft, card], ids=["software", "card"])
def make(request: pytest.FixtureRequest) -> Make:
    """Either kind of module: the rule is the same."""
    made: Make = request.param
    return made


def opened(make: Make, *, read: bool = True) -> ModuleSession:
    """A session, with the golden EF.SPEND record read freshly or not."""
    session = make(MASTER).open(INFO, CHALLENGE)
    if read:
        step = next(item for item in SUITE["sale"] if item["name"] == "READ RECORD EF.SPEND 1")
        session.open_spend(1, Response.decode(bytes.fromhex(step["response"])))
    return session


def intent(*, key: SigningKey = TERMINAL, **changes: Any) -> bytes:
    """The golden intent with fields changed, signed by ``key``."""
    entry = decode_entry(GOLDEN)
    assert isinstance(entry.body, Intent)
    body = replace(entry.body, **changes)
    return sign1.sign(key, encode_payload(entry.header, body), sign1.ENTRY_AAD)


def plan(**changes: Any) -> Plan:
    body = decode_entry(GOLDEN).body
    assert isinstance(body, Intent)
    return replace(body.plan, **changes)


def test_the_golden_intent_gives_the_record_of_the_entry_vectors(make: Make) -> None:
    record = bytes.fromhex(vectors.entries()["record"])

    assert opened(make).update_spend(intent()).data[2 : 2 + len(record)] == record


def test_one_session_gives_one_update(make: Make) -> None:
    session = opened(make)
    session.update_spend(intent())

    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.update_spend(intent())


def test_without_a_fresh_read_there_is_no_update(make: Make) -> None:
    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        opened(make, read=False).update_spend(intent())


def test_another_terminals_intent_is_refused(make: Make) -> None:
    with pytest.raises(AuthenticityError):
        opened(make).update_spend(intent(key=SigningKey(bytes(32))))


def test_what_is_no_intent_is_refused(make: Make) -> None:
    heartbeat = bytes.fromhex(vectors.entries()["entries"][2]["cose"])

    with pytest.raises(AuthenticityError, match="MODULE_NO_INTENT"):
        opened(make).update_spend(heartbeat)


@pytest.mark.parametrize(
    "changes",
    [{"info_core": bytes([1]) + bytes(15)}, {"newest_record": bytes(54)}],
    ids=["another purse", "another record"],
)
def test_an_intent_for_another_card_is_refused(make: Make, changes: dict[str, Any]) -> None:
    with pytest.raises(AuthenticityError, match="MODULE_OTHER_CARD"):
        opened(make).update_spend(intent(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"ctr": 6},
        {"totals": (3249, 0, 0, 0, 0, 0)},
        {"totals": (0, 0, 0, 0, 0, 0)},
        {"prev": bytes(4)},
        {"type": SpendType.VOID},
    ],
    ids=["counter skipped", "a cent less", "spent value re-opened", "other chain", "void"],
)
def test_a_plan_that_does_not_follow_from_the_read_is_refused(
    make: Make, changes: dict[str, Any]
) -> None:
    if "type" in changes:
        spoilt = intent(plan=plan(**changes), voided=1)
    else:
        spoilt = intent(plan=plan(**changes))

    with pytest.raises(AuthenticityError, match="MODULE_PLAN_WRONG"):
        opened(make).update_spend(spoilt)


def test_a_purse_whose_keys_are_not_here_is_not_served(make: Make) -> None:
    module = make()

    assert not module.serves(INFO)
    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        module.open(INFO, CHALLENGE)


def test_nothing_secret_is_in_a_repr() -> None:
    ring = KeyRing(TERMINAL, (MASTER,))

    assert MASTER.key.hex() not in repr(ring) + repr(MASTER)
    assert TERMINAL.seed.hex() not in repr(TERMINAL)
