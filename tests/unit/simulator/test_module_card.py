"""The module card as a card: what it signs, what it refuses, what it keeps; fuzzed."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from cardlib.codec import module_card as codec
from cardlib.codec.apdu import Command, Response
from cardlib.codec.module_applet import INS_OPEN_APPLET, open_applet
from cardlib.codec.module_card import Ins, ModuleDescription, ModuleStatus, RecordKind, Signed
from cardlib.codec.purse import FLAG_ATTESTATION, SpendType
from cardlib.errors import CardlibError
from cardlib.keys.derivation import DebitKeys
from cardlib.wire import sign1
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import Certificate, DerivedKeys, EnrolmentRequest, ModuleKeys
from cardlib.wire.entry import decode_entry, encode_payload
from cardlib.wire.entry_body import Declined, Intent
from cardlib.wire.entry_header import Header, ModuleClass
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.module_keys import KeyAnswer
from cardlib.wire.module_order import ModuleOrder
from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore
from simulator.module_card import memory as images
from simulator.module_card.card import ModuleCard
from simulator.module_card.factory import make_module
from simulator.module_card.memory import Allowance
from tests.module_cards import PIN, PUK, card_module, ready_memory
from tests.unit.cardlib.test_module_rule import (
    CHALLENGE,
    GOLDEN,
    MASTER,
    OPERATOR,
    TERMINAL,
    GoldenRandom,
    intent,
)
from tests.unit.cardlib.test_purse_records import INFO, SUITE

ENTRY = decode_entry(GOLDEN)
HEADER = replace(ENTRY.header, module_class=ModuleClass.CARD)
NUMBER = HEADER.terminal
READ = bytes.fromhex(
    next(item for item in SUITE["sale"] if item["name"] == "READ RECORD EF.SPEND 1")["response"]
)
OK, PIN_WANTED, NOT_SELECTED = 0x9000, 0x6982, 0x6D00


def ready(**changes: object) -> ModuleCard:
    randomness = SeededRandomness("module")
    memory = ready_memory(TERMINAL, NUMBER, OPERATOR, MASTER, randomness=randomness)
    for name, value in changes.items():
        setattr(memory, name, value)
    return ModuleCard(memory, randomness)


def opened(card: ModuleCard) -> ModuleCard:
    """Selected, its PIN verified."""
    assert ask(card, codec.select_module(), codec.verify(codec.padded_pin(PIN))).ok
    return card


def ask(card: ModuleCard, *commands: Command) -> Response:
    answer = Response(b"", 0)
    for command in commands:
        answer = Response.decode(card.transmit(bytes(command)))
        if not answer.ok:
            break
    return answer


def status(card: ModuleCard, ins: Ins, data: bytes = b"", p1: int = 0, p2: int = 0) -> int:
    return ask(card, *codec.command(ins, data, p1, p2)).status


def entry(header: Header = HEADER) -> bytes:
    return encode_payload(header, Declined(code="CARD_MAC_BAD"))


# what it is -------------------------------------------------------------------------------------


def test_nothing_is_done_before_the_module_is_selected_and_opened() -> None:
    card = ready()
    for ins in Ins:
        assert status(card, ins) == NOT_SELECTED
    ask(card, codec.select_module())
    refused = {ins for ins in Ins if status(card, ins) == PIN_WANTED}
    assert refused == set(Ins) - {Ins.GET_MODULE}


def test_a_module_says_who_it_is_without_a_pin() -> None:
    card = ready()
    answer = ask(card, codec.select_module(), *codec.command(Ins.GET_MODULE))
    said = ModuleDescription.decode(answer.data)
    assert (said.public_key, said.terminal) == (TERMINAL.public.raw, NUMBER)
    assert (said.operator_kid, said.pin_tries) == (OPERATOR.public.kid, 5)


def test_another_application_is_not_here() -> None:
    select = Command(0x00, 0xA4, 0x04, 0x0C, b"\xa0\x00\x00\x00\x63PKCS-15")
    assert ask(ready(), select).status == 0x6A82


def test_a_reset_forgets_pin_and_conversation() -> None:
    card = opened(ready())
    assert status(card, Ins.OPEN, INFO.core + CHALLENGE) == OK
    card.reset()
    ask(card, codec.select_module())
    assert status(card, Ins.STATE) == PIN_WANTED
    opened(card)
    assert status(card, Ins.OPEN_RECORD, READ[:-2], RecordKind.SPEND_ANSWER, 1) == (
        ModuleStatus.NOT_FRESH
    )


# what it signs ----------------------------------------------------------------------------------


def test_an_entry_of_its_own_terminal_is_signed() -> None:
    complete = card_module(ready(), TERMINAL).sign_entry(entry())
    decode_entry(complete).verify(TERMINAL.public)


@pytest.mark.parametrize(
    "payload",
    [
        entry(replace(HEADER, terminal=TerminalNumber(NUMBER + 1))),
        entry(replace(HEADER, module_class=ModuleClass.SOFT)),
        entry()[:-1],
        entry() + b"\x00",
        b"\xbf" + entry()[1:] + b"\xff",
        entry()[:2] + b"\x18\x01" + entry()[3:],
        b"",
    ],
    ids=[
        "another terminal's",
        "class soft",
        "cut",
        "longer",
        "open end",
        "not shortest",
        "nothing",
    ],
)
def test_what_is_no_entry_of_its_own_is_not_signed(payload: bytes) -> None:
    assert status(opened(ready()), Ins.SIGN, payload, Signed.ENTRY) == ModuleStatus.WRONG_DATA


def test_a_document_never_passes_for_a_request() -> None:
    card = opened(ready())
    for message in (entry(), sign1.ENTRY_AAD, b"@method", b""):
        assert status(card, Ins.SIGN, message, Signed.REQUEST) == ModuleStatus.WRONG_DATA


def test_an_enrolment_request_names_the_modules_own_keys() -> None:
    module = card_module(ready(), TERMINAL)
    request = EnrolmentRequest.open(module.request_enrolment("ABCD"))
    assert request.module_class is ModuleClass.CARD
    assert request.box_key == module.describe().box_key
    forged = replace(request, box_key=bytes(32))
    assert status(opened(ready()), Ins.SIGN, forged.payload, Signed.ENROLMENT) == (
        ModuleStatus.WRONG_DATA
    )


def test_a_module_without_an_operator_signs_no_entry() -> None:
    card = opened(ready(operator=b""))
    assert status(card, Ins.SIGN, entry(), Signed.ENTRY) == ModuleStatus.NOT_ENROLLED


def test_a_long_entry_is_chained_and_a_broken_chain_forgotten() -> None:
    card = opened(ready())
    long = entry(replace(HEADER, software="x" * 2000))
    blocks = codec.command(Ins.SIGN, long, Signed.ENTRY)
    assert len(blocks) > 8
    assert ask(card, *blocks).ok
    ask(card, *blocks[:3])
    assert status(card, Ins.STATE) == 0x6985
    assert ask(card, *blocks).ok


# into service -----------------------------------------------------------------------------------


def certificate(key: SigningKey = TERMINAL, number: int = NUMBER) -> bytes:
    return Certificate(
        terminal=TerminalNumber(number), public_key=key.public, merchant=1, merchant_name="Rossi",
        operator="Comune", issued_at=1,
    ).sign(OPERATOR)  # fmt: skip


def test_a_module_is_taken_into_service_once() -> None:
    card = opened(ready(operator=b"", terminal=0))
    operator = OPERATOR.public.raw
    assert status(card, Ins.INSTALL, operator + certificate(SigningKey(bytes(32)))) == (
        ModuleStatus.NOT_GENUINE
    )
    assert status(card, Ins.INSTALL, bytes([1]) + bytes(31) + certificate()) == (
        ModuleStatus.NOT_GENUINE
    )
    assert status(card, Ins.INSTALL, operator + certificate()) == OK
    assert status(card, Ins.INSTALL, operator + certificate()) == OK
    assert status(card, Ins.INSTALL, operator + certificate(number=9)) == (
        ModuleStatus.OTHER_OPERATOR
    )
    assert card.memory.terminal == NUMBER


def order(keys: ModuleKeys, box_key: bytes, number: int = 7) -> bytes:
    return ModuleOrder(
        module=TERMINAL.public, number=number, debits_max=1, cents_max=1,
        sealed_keys=SealedBox(BoxKey(box_key)).encrypt(keys.encode()),
    ).sign(OPERATOR)  # fmt: skip


def test_keys_come_sealed_to_the_module_and_signed_by_its_operator() -> None:
    card = ready(masters={})
    module = card_module(card, TERMINAL)
    assert not module.serves(INFO)
    module.obey(order(ModuleKeys((MASTER,)), module.describe().box_key))
    assert module.serves(INFO)
    with pytest.raises(CardlibError, match="MODULE_ORDER_BAD"):
        module.obey(order(ModuleKeys((MASTER,)), SigningKey(bytes(32)).public.raw, 8))


def test_a_town_that_gives_no_master_away_gives_keys_of_single_purses() -> None:
    card = ready(masters={})
    module = card_module(card, TERMINAL)
    keys = DebitKeys.derive(MASTER.key, INFO)
    derived = DerivedKeys(INFO.core[:14], keys.command, keys.response, keys.record)
    module.obey(order(ModuleKeys((), (derived,)), module.describe().box_key))
    assert module.serves(INFO)
    assert not module.serves(replace(INFO, purse=bytes(8)))
    reading = module.open(INFO, CHALLENGE).open_spend
    with pytest.raises(CardlibError, match="CARD_MAC_BAD"):
        reading(1, Response.decode(READ))  # the golden random is another one


# debits -----------------------------------------------------------------------------------------


def test_a_void_of_another_terminals_sale_is_refused_by_the_module() -> None:
    card = opened(golden_card())
    assert isinstance(ENTRY.body, Intent)
    plan = ENTRY.body.plan
    before = plan.totals[0] - sum(line.cents for line in ENTRY.body.lines)
    taken_back = replace(plan, type=SpendType.VOID, totals=(before - 1, *plan.totals[1:]))
    line = replace(ENTRY.body.lines[0], cents=1)
    complete = intent(voided=Seq(1), plan=taken_back, lines=(line,))
    status(card, Ins.OPEN, INFO.core + CHALLENGE)
    status(card, Ins.OPEN_RECORD, READ[:-2], RecordKind.SPEND_ANSWER, 1)
    assert status(card, Ins.INTENT, complete) == OK
    assert status(card, Ins.UPDATE, decode_entry(complete).hash) == ModuleStatus.PLAN_WRONG


def test_a_void_is_within_the_quota_too() -> None:
    """Who has module and PIN could void more than the sale took, and so re-open a purse."""
    card = opened(ready(allowance=Allowance(1, b"", 10, 99, 0)))
    assert isinstance(ENTRY.body, Intent)
    plan = replace(ENTRY.body.plan, type=SpendType.VOID)
    line = replace(ENTRY.body.lines[0], cents=100)
    body = replace(ENTRY.body, voided=Seq(1), plan=plan, lines=(line,))
    payload = encode_payload(HEADER, body)
    assert status(card, Ins.SIGN, payload, Signed.ENTRY) == ModuleStatus.QUOTA_USED_UP


def test_an_intent_beyond_the_quota_is_not_even_signed() -> None:
    card = opened(ready(allowance=Allowance(1, b"", 1, 1, 0)))
    payload = encode_payload(HEADER, ENTRY.body)
    assert status(card, Ins.SIGN, payload, Signed.ENTRY) == ModuleStatus.QUOTA_USED_UP
    assert card.memory.debits == 0


def test_keys_of_a_new_set_are_taken_from_the_operator_alone_beside_the_old() -> None:
    card = ready()
    module = card_module(card, TERMINAL)
    box_key = module.describe().box_key
    sealed = KeyAnswer(TerminalNumber(NUMBER), bytes(60))
    for forged in (sealed.sign(SigningKey(bytes(32))), sealed.sign(OPERATOR), b""):
        with pytest.raises(CardlibError, match="MODULE_ORDER_BAD"):
            module.take_keys(forged)
    assert list(module.key_sets) == [(MASTER.issuer, MASTER.key_set)]
    module.take_keys(new_keys(box_key))
    assert list(module.key_sets) == [(MASTER.issuer, MASTER.key_set), (MASTER.issuer, 2)]


# what it keeps ----------------------------------------------------------------------------------


def test_a_module_outlives_its_program(tmp_path: Path) -> None:
    path = tmp_path / "module.card"
    FileStore(path).save(images.encode(make_module(SeededRandomness("a"), PIN, PUK)))
    card = ModuleCard.load(path, SeededRandomness("b"))
    ask(card, codec.select_module(), codec.verify(codec.padded_pin("wrong-pin")))
    assert ModuleCard.load(path, SeededRandomness("c")).memory.pin.tries_left == 4
    assert images.encode(images.decode(path.read_bytes())) == path.read_bytes()


def test_what_another_program_saved_is_taken_over_at_power_up(tmp_path: Path) -> None:
    path = tmp_path / "module.card"
    FileStore(path).save(images.encode(make_module(SeededRandomness("a"), PIN, PUK)))
    one, two = (ModuleCard.load(path, SeededRandomness(name)) for name in "bc")
    wrong = codec.verify(codec.padded_pin("wrong-pin"))
    ask(one, codec.select_module(), wrong)
    assert ask(two, codec.select_module(), wrong).status == 0x6F00
    two.reset()
    assert ask(two, codec.select_module(), wrong).status == 0x63C3


def test_a_new_module_makes_its_keys_itself() -> None:
    one, two = (make_module(SeededRandomness(name), PIN, PUK) for name in "ab")
    assert one.signing_seed != two.signing_seed
    assert one.signing_seed != one.box_seed


# fuzz -------------------------------------------------------------------------------------------

ROUNDS = 400


LEGACY = replace(INFO, flags=INFO.flags & ~FLAG_ATTESTATION)


def new_keys(box_key: bytes) -> bytes:
    """The operator's keys of key set 2, for this terminal."""
    keys = ModuleKeys((replace(MASTER, key_set=2, key=bytes([9]) * 32),))
    sealed = SealedBox(BoxKey(box_key)).encrypt(keys.encode())
    return KeyAnswer(TerminalNumber(NUMBER), sealed).sign(OPERATOR)


def recorded(card: ModuleCard) -> list[bytes]:
    """A whole life: into service, keys, a sale, recovery, service commands."""
    payload = encode_payload(HEADER, ENTRY.body)
    said = ModuleDescription.decode(
        ask(card, codec.select_module(), *codec.command(Ins.GET_MODULE)).data
    )
    whole = sign1.sign(TERMINAL, payload, sign1.ENTRY_AAD)
    digest = decode_entry(whole).hash
    commands = [
        codec.select_module(), *codec.command(Ins.GET_MODULE),
        codec.verify(codec.padded_pin(PIN)), *codec.command(Ins.STATE),
        *codec.command(Ins.INSTALL, OPERATOR.public.raw + certificate()),
        *codec.command(Ins.SERVES, INFO.core), *codec.command(Ins.SIGN, b'"@method": ', 2),
        *codec.open_session(INFO.core, CHALLENGE),
        *codec.command(Ins.OPEN_RECORD, READ[:-2], RecordKind.SPEND_ANSWER, 1),
        *codec.command(Ins.SIGN, payload, Signed.ENTRY), *codec.command(Ins.RECORD, digest),
        *codec.command(Ins.UPDATE, digest), *codec.command(Ins.CONFIRM, bytes(14)),
        *codec.command(Ins.INTENT, whole),
        *codec.command(Ins.OPEN_RECORD, INFO.core + bytes(54), RecordKind.SPEND_STORED),
        *codec.command(Ins.ORDER, order(ModuleKeys((MASTER,)), said.box_key)),
        *codec.command(Ins.KEY_SETS), *codec.command(Ins.TAKE_KEYS, new_keys(said.box_key)),
        *codec.open_legacy(LEGACY.core, 10_00),
        *open_applet(),
        codec.unblock(codec.padded_pin(PUK), codec.padded_pin(PIN)),
        codec.change_pin(codec.padded_pin(PIN), codec.padded_pin(PIN)),
    ]  # fmt: skip
    return [bytes(command) for command in commands]


def golden_card() -> ModuleCard:
    memory = ready_memory(TERMINAL, NUMBER, OPERATOR, MASTER, randomness=SeededRandomness("m"))
    memory.allowance = Allowance(1, b"", 3, 100_00, 0)
    memory.certificate = sha256(certificate()).digest()
    return ModuleCard(memory, GoldenRandom())


def changed(random: Random, apdu: bytes) -> bytes:
    """A command with something else in it."""
    spoilt = bytearray(apdu)
    kind = random.randrange(5)
    if kind == 0:
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    elif kind == 1:
        del spoilt[random.randrange(len(spoilt)) :]
    elif kind == 2:
        spoilt += random.randbytes(random.randrange(1, 9))
    elif kind == 3:
        spoilt[: min(4, len(spoilt))] = random.randbytes(min(4, len(spoilt)))
    else:
        return random.randbytes(random.randrange(300))
    return bytes(spoilt)


def secrets_of(card: ModuleCard) -> list[bytes]:
    keys = DebitKeys.derive(MASTER.key, INFO)
    memory = card.memory
    seeds = [memory.signing_seed, memory.box_seed, MASTER.key]
    return [*seeds, keys.command, keys.response, keys.record, memory.pin.value, memory.puk.value]


def test_the_recorded_life_goes_well() -> None:
    card = golden_card()
    answers = [card.transmit(apdu)[-2:] for apdu in recorded(card)]
    assert answers == [b"\x90\x00"] * len(answers)
    assert card.memory.debits == 1


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_sent_is_answered_and_gives_nothing_away(part: int) -> None:
    """No command is left without an answer, no key leaves, no MAC without the rule."""
    for number in range(part, ROUNDS, 4):
        random = Random(number)
        card = golden_card()
        life, forbidden = recorded(card), secrets_of(card)
        card.reset()
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(life))
            one = random.choice(life)
            life[at:at] = [changed(random, one) if random.random() < 0.6 else one]
        if random.random() < 0.3:
            random.shuffle(life)
        watched(card, life, forbidden, number)


OPENINGS = (bytes((Ins.OPEN,)), bytes((INS_OPEN_APPLET,)))


def watched(card: ModuleCard, life: list[bytes], forbidden: list[bytes], number: int) -> None:
    given = 0
    for apdu in life:
        before = card.memory.debits
        answer = card.transmit(apdu)
        assert len(answer) >= 2, number
        assert answer[-2:] != b"\x6f\x00", (number, apdu.hex())
        assert not any(secret in answer for secret in forbidden), (number, apdu.hex())
        if apdu[1:2] in OPENINGS and answer[-2:] == b"\x90\x00":
            given = 0
        if apdu[1:2] == bytes((Ins.UPDATE,)) and len(answer) > 2:
            given += 1
            assert given == 1, (number, "two MACs for one challenge")
            assert card.memory.debits - before in (0, 1)
        else:
            assert card.memory.debits == before, number
        assert card.memory.debits <= 3
        assert card.memory.terminal == NUMBER
