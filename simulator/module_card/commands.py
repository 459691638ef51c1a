"""The commands of the module, each from its data to its answer (docs/module-card.md).

A handler gets the module and the command whole (chaining is undone before), returns the
answer's data and refuses with a status word. What it changes is saved before the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from cardlib.codec.apdu import Command
from cardlib.codec.files import EF_SPEND
from cardlib.codec.module_applet import INS_OPEN_APPLET, INS_OPEN_STATE
from cardlib.codec.module_card import (
    CHALLENGE_SIZE,
    KEY_SETS_MAX,
    KEY_SIZE,
    LIMIT_SIZE,
    NOT_VALID,
    OPEN_ANY,
    OPEN_LEGACY,
    OTHER_SET,
    VALID,
    Ins,
    ModuleDescription,
    ModuleStatus,
    RecordKind,
    Signed,
)
from cardlib.codec.purse import INFO_CORE_SIZE, Info
from cardlib.codec.status import Status
from simulator.card import crypto
from simulator.card.chip import Randomness
from simulator.card.refusal import Refusal
from simulator.module_card import cbor, documents, records
from simulator.module_card import intent as intents
from simulator.module_card.applet import AppletConversation
from simulator.module_card.intent import Intent
from simulator.module_card.memory import Allowance, ModuleMemory
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import Malformed, refuse_unless
from simulator.module_card.session import Conversation, Session

REQUEST_START = b'"@method": '
"""A request base begins so (RFC 9421, 2.5); documents are signed over ``84 6A …``."""
_COUNT_MAX = 0xFFFFFFFF
_LONG_MAX = 0xFFFFFFFFFFFF


@dataclass(slots=True)
class Module:
    """What a command may use; ``commit`` saves the memory."""

    memory: ModuleMemory
    session: Session
    randomness: Randomness
    commit: Callable[[], None]

    def require_enrolled(self) -> None:
        """Refuses while no operator has taken the module into service."""
        refuse_unless(self.memory.operator, ModuleStatus.NOT_ENROLLED)

    def keys(self, core: bytes) -> tuple[Info, DebitKeys]:
        """INFO and keys of a purse; NO_KEYS when it is not served."""
        info = records.info_of(core)
        keys = self.memory.keys_for(info) if info.suite in crypto.SUITES else None
        if keys is None:
            raise Refusal(ModuleStatus.NO_KEYS)
        return info, keys

    def conversation(self) -> Conversation | AppletConversation:
        """The one under way; NOT_FRESH when there is none."""
        if self.session.conversation is None:
            raise Refusal(ModuleStatus.NOT_FRESH)
        return self.session.conversation

    def intent(self, hash_: bytes) -> Intent:
        """The intent that the module remembers, if it is this one."""
        known = self.session.intent
        if known is None or known.hash != hash_:
            raise Refusal(ModuleStatus.NO_INTENT)
        return known


Handler = Callable[[Module, Command], bytes]


def get_module(module: Module, _command: Command) -> bytes:
    """Who the module is; needs no PIN."""
    memory = module.memory
    kid = documents.kid_of(memory.operator) if memory.operator else bytes(8)
    return bytes(
        ModuleDescription(
            memory.pin.tries_left, documents.public_key_of(memory.signing_seed), _box_key(memory),
            memory.terminal, kid, memory.allowance.number,
        )
    )  # fmt: skip


def sign(module: Module, command: Command) -> bytes:
    """A signature over a document of the kind that P1 names, and over nothing else."""
    seed = module.memory.signing_seed
    match command.p1:
        case Signed.ENTRY:
            return _sign_entry(module, command.data)
        case Signed.REQUEST:
            refuse_unless(command.data.startswith(REQUEST_START), ModuleStatus.WRONG_DATA)
            return documents.raw_signature(seed, command.data)
        case Signed.ENROLMENT:
            _require_own_keys(module.memory, command.data)
            return documents.signature(seed, documents.ENROLMENT, command.data)
        case _:
            raise Refusal(Status.WRONG_P1P2)


def install(module: Module, command: Command) -> bytes:
    """Operator's key and certificate: from now on the module is that terminal's."""
    memory, operator = module.memory, command.data[:KEY_SIZE]
    documents.require_point(operator)
    document = documents.opened(command.data[KEY_SIZE:], operator, documents.CERTIFICATE)
    if memory.operator:
        same = (memory.operator, memory.certificate) == (operator, document.hash)
        refuse_unless(same, ModuleStatus.OTHER_OPERATOR)
        return b""
    fields = cbor.load_map(document.payload)
    own = fields.get(2) == documents.public_key_of(memory.signing_seed)
    refuse_unless(own, ModuleStatus.NOT_GENUINE)
    terminal = cbor.number(fields.get(1), intents.U24_MAX)
    memory.operator, memory.certificate, memory.terminal = operator, document.hash, terminal
    module.commit()
    return b""


def order(module: Module, command: Command) -> bytes:
    """The operator's order: what may be debited, and keys, enciphered for this module."""
    module.require_enrolled()
    memory = module.memory
    document = documents.opened(command.data, memory.operator, documents.ORDER)
    fields = cbor.load_map(document.payload)
    own = fields.get(1) == documents.public_key_of(memory.signing_seed)
    refuse_unless(own and set(fields) == {1, 2, 3, 4, 5, 6}, ModuleStatus.WRONG_DATA)
    debits = cbor.number(fields[3], _COUNT_MAX)
    number, cents, ceiling = (cbor.number(fields[key], _LONG_MAX) for key in (2, 4, 5))
    known = memory.allowance
    if (known.number, known.hash) == (number, document.hash):
        return b""
    refuse_unless(number > known.number, ModuleStatus.ORDER_OLD)
    sealed = cbor.octets(fields[6])
    if sealed:
        memory.masters, memory.purses = _unsealed(memory, sealed)
    memory.allowance = Allowance(number, document.hash, debits, cents, ceiling)
    module.commit()
    return b""


def state(module: Module, _command: Command) -> bytes:
    """What the module has debited so far, as a document that it signs."""
    module.require_enrolled()
    memory = module.memory
    payload = cbor.dumps(
        {
            1: documents.public_key_of(memory.signing_seed), 2: memory.terminal,
            3: memory.allowance.number, 4: memory.debits, 5: memory.cents,
            6: memory.allowance.debits_max, 7: memory.allowance.cents_max,
            8: memory.allowance.ceiling,
        }
    )  # fmt: skip
    return documents.assemble(memory.signing_seed, documents.STATE, payload)


def take_keys(module: Module, command: Command) -> bytes:
    """The operator's keys of a new key set, beside those that are here."""
    module.require_enrolled()
    memory = module.memory
    document = documents.opened(command.data, memory.operator, documents.MODULE_KEYS)
    fields = cbor.load_map(document.payload)
    own = set(fields) == {1, 2} and fields[1] == memory.terminal
    refuse_unless(own, ModuleStatus.WRONG_DATA)
    masters, purses = _unsealed(memory, cbor.octets(fields[2]))
    memory.masters = memory.masters | masters
    memory.purses = memory.purses | purses
    module.commit()
    return b""


def key_sets(module: Module, _command: Command) -> bytes:
    """Issuer and number of each master that is here."""
    held = sorted(module.memory.masters)[:KEY_SETS_MAX]
    return b"".join(issuer + bytes((number,)) for issuer, number in held)


def serves(module: Module, command: Command) -> bytes:
    """Whether there are keys for a purse."""
    module.keys(command.data)
    return b""


def open_session(module: Module, command: Command) -> bytes:
    """A new conversation: INFO core and challenge in, only then the random is made.

    With a legacy chip the challenge comes later, and a limit stands in its place.
    """
    refuse_unless(command.p1 in (OPEN_ANY, OPEN_LEGACY) and not command.p2, Status.WRONG_P1P2)
    legacy = command.p1 == OPEN_LEGACY
    expected = INFO_CORE_SIZE + (LIMIT_SIZE if legacy else CHALLENGE_SIZE)
    refuse_unless(len(command.data) == expected, Status.WRONG_LENGTH)
    module.session.conversation = None
    info, keys = module.keys(command.data[:INFO_CORE_SIZE])
    refuse_unless(not (legacy and info.attests), ModuleStatus.WRONG_DATA)
    rest, random = command.data[INFO_CORE_SIZE:], module.randomness.bytes(CHALLENGE_SIZE)
    module.session.conversation = Conversation(
        info, None if legacy else rest, random, keys, crypto.SUITES[info.suite],
        module.memory.other_sets(info),
        legacy_limit=int.from_bytes(rest, "big") if legacy else None,
    )  # fmt: skip
    return random


def challenged(module: Module, command: Command) -> bytes:
    """The challenge of a legacy chip, once its newest record was read."""
    refuse_unless(len(command.data) == CHALLENGE_SIZE, Status.WRONG_LENGTH)
    conversation = module.conversation()
    if not isinstance(conversation, Conversation):
        raise Refusal(ModuleStatus.NOT_FRESH)
    conversation.challenged(command.data)
    return b""


def open_applet(module: Module, _command: Command) -> bytes:
    """A new conversation with an applet card: the random that goes out with INITIALISE."""
    random = module.randomness.bytes(CHALLENGE_SIZE)
    module.session.conversation = AppletConversation(random, module.keys)
    return random


def open_state(module: Module, command: Command) -> bytes:
    """The answer of INITIALISE: the newest record at rest, then the state in clear."""
    conversation = module.conversation()
    if not isinstance(conversation, AppletConversation) or conversation.reads is not None:
        raise Refusal(ModuleStatus.NOT_FRESH)
    return conversation.open_state(command.data)


def open_record(module: Module, command: Command) -> bytes:
    """A record in clear: of an answer in this conversation, or stored in an intent."""
    if command.p1 == RecordKind.SPEND_STORED:
        return _opened(_stored(module, command.data))
    if command.p1 not in records.FILES:
        raise Refusal(Status.WRONG_P1P2)
    file = records.FILES[command.p1]
    refuse_unless(1 <= command.p2 <= file.records, Status.WRONG_P1P2)
    refuse_unless(len(command.data) == file.record_size + 12, Status.WRONG_LENGTH)
    conversation = module.conversation()
    if command.p1 == RecordKind.GRANT_ANSWER:
        return _opened(conversation.open_grant(command.p2, command.data))
    found = conversation.open_spend(command.p2, command.data)
    if found.spend is not None and found.other_set:
        return OTHER_SET + bytes(found.spend)
    return _opened(None if found.spend is None else bytes(found.spend))


def take_intent(module: Module, command: Command) -> bytes:
    """An intent that this module signed earlier, whole: its own signature says so."""
    module.require_enrolled()
    memory = module.memory
    own = documents.public_key_of(memory.signing_seed)
    document = documents.opened(command.data, own, documents.ENTRY)
    fields = cbor.load_map(document.payload)
    module.session.intent = intents.intent_of(fields, document.hash)
    return b""


def record(module: Module, command: Command) -> bytes:
    """The record that the remembered intent writes, sealed: recovery compares it."""
    intent = module.intent(command.data)
    _, keys = module.keys(intent.info_core)
    return records.seal_spend(keys.record, intent.plan)


def update(module: Module, command: Command) -> bytes:
    """The data of the one UPDATE RECORD, counted before it leaves."""
    conversation, intent = module.conversation(), module.intent(command.data)
    conversation.check(intent, module.memory.terminal)
    _count(module, intent)
    return conversation.update(intent)


def confirm(module: Module, command: Command) -> bytes:
    """Whether the purse confirmed the UPDATE."""
    return VALID if module.conversation().confirms(command.data) else NOT_VALID


HANDLERS: dict[int, Handler] = {
    Ins.GET_MODULE: get_module, Ins.SIGN: sign, Ins.INSTALL: install, Ins.ORDER: order,
    Ins.STATE: state, Ins.TAKE_KEYS: take_keys, Ins.KEY_SETS: key_sets, Ins.SERVES: serves,
    Ins.OPEN: open_session, Ins.OPEN_RECORD: open_record, Ins.INTENT: take_intent,
    Ins.RECORD: record, Ins.UPDATE: update, Ins.CONFIRM: confirm, Ins.CHALLENGED: challenged,
    INS_OPEN_APPLET: open_applet, INS_OPEN_STATE: open_state,
}  # fmt: skip
WITHOUT_PIN = frozenset({Ins.GET_MODULE})
P1_MATTERS = frozenset({Ins.SIGN, Ins.OPEN, Ins.OPEN_RECORD})


def _sign_entry(module: Module, payload: bytes) -> bytes:
    """An entry's signature; an intent is remembered, and refused when no debit is left for it."""
    module.require_enrolled()
    seed = module.memory.signing_seed
    fields = intents.entry_fields(payload, module.memory.terminal)
    if intents.is_intent(fields):
        entry_hash = documents.hash_of(seed, documents.ENTRY, payload)
        intent = intents.intent_of(fields, entry_hash)
        _require_allowed(module.memory, intent)
        module.session.intent = intent
    return documents.signature(seed, documents.ENTRY, payload)


def _require_allowed(memory: ModuleMemory, intent: Intent) -> None:
    """Refuses a debit beyond the order; one that was counted before is not counted again."""
    if intent.hash == memory.counted:
        return
    may = memory.allowance
    within = not may.ceiling or intent.cents <= may.ceiling
    refuse_unless(within, ModuleStatus.DEBIT_CEILING)
    left = memory.debits < may.debits_max and memory.cents + intent.cents <= may.cents_max
    refuse_unless(left, ModuleStatus.QUOTA_USED_UP)


def _count(module: Module, intent: Intent) -> None:
    memory = module.memory
    _require_allowed(memory, intent)
    if intent.hash == memory.counted:
        return
    memory.debits, memory.cents = memory.debits + 1, memory.cents + intent.cents
    memory.counted = intent.hash
    module.commit()


def _require_own_keys(memory: ModuleMemory, payload: bytes) -> None:
    """An enrolment request names exactly this module's keys, and says that it is a card."""
    fields = cbor.load_map(payload)
    expected = {
        2: documents.public_key_of(memory.signing_seed), 3: _box_key(memory),
        4: intents.MODULE_CLASS_CARD,
    }  # fmt: skip
    own = {key: value for key, value in fields.items() if key != 1} == expected
    refuse_unless(own and isinstance(fields.get(1), str), ModuleStatus.WRONG_DATA)


def _unsealed(
    memory: ModuleMemory, sealed: bytes
) -> tuple[dict[tuple[bytes, int], bytes], dict[bytes, DebitKeys]]:
    """Masters and purse keys that only this module can open."""
    try:
        opened = SealedBox(PrivateKey(memory.box_seed)).decrypt(sealed)
    except (CryptoError, ValueError):
        raise Refusal(ModuleStatus.NOT_GENUINE) from None
    fields = cbor.load_map(opened)
    if not set(fields) <= {1, 2}:
        raise Malformed
    rows = [cbor.array(row, 3) for row in cbor.array(fields.get(1))]
    masters = {
        (cbor.octets(issuer, 3), cbor.number(key_set, 255)): cbor.octets(key, KEY_SIZE)
        for issuer, key_set, key in rows
    }
    kept = [cbor.array(row, 4) for row in cbor.array(fields.get(2, []))]
    purses = {
        cbor.octets(core, 14): DebitKeys(*(cbor.octets(key, 16) for key in keys))
        for core, *keys in kept
    }
    return masters, purses


def _stored(module: Module, data: bytes) -> bytes | None:
    refuse_unless(len(data) == INFO_CORE_SIZE + EF_SPEND.record_size, Status.WRONG_LENGTH)
    _, keys = module.keys(data[:INFO_CORE_SIZE])
    spend = records.open_spend(keys.record, data[INFO_CORE_SIZE:])
    return None if spend is None else bytes(spend)


def _opened(clear: bytes | None) -> bytes:
    return NOT_VALID if clear is None else VALID + clear


def _box_key(memory: ModuleMemory) -> bytes:
    return bytes(PrivateKey(memory.box_seed).public_key)
