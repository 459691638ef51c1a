"""Commands about purses: conversations, records, the one UPDATE, recovery."""

from cardlib.codec.apdu import Command
from cardlib.codec.files import EF_SPEND
from cardlib.codec.module_card import (
    CHALLENGE_SIZE,
    LIMIT_SIZE,
    NOT_VALID,
    OPEN_ANY,
    OPEN_LEGACY,
    OTHER_SET,
    VALID,
    ModuleStatus,
    RecordKind,
)
from cardlib.codec.purse import INFO_CORE_SIZE
from cardlib.codec.status import Status
from simulator.card import crypto, sealed_records
from simulator.card.refusal import Refusal
from simulator.module_card import cbor, documents, records
from simulator.module_card import intent as intents
from simulator.module_card.applet import AppletConversation
from simulator.module_card.conversation import Conversation
from simulator.module_card.module import Module
from simulator.module_card.quota import count
from simulator.module_card.refusals import refuse_unless


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
    return sealed_records.seal_spend(keys.record, intent.plan)


def update(module: Module, command: Command) -> bytes:
    """The data of the one UPDATE RECORD, counted before it leaves."""
    conversation, intent = module.conversation(), module.intent(command.data)
    conversation.check(intent, module.memory.terminal)
    count(module, intent)
    return conversation.update(intent)


def confirm(module: Module, command: Command) -> bytes:
    """Whether the purse confirmed the UPDATE."""
    return VALID if module.conversation().confirms(command.data) else NOT_VALID


def _stored(module: Module, data: bytes) -> bytes | None:
    refuse_unless(len(data) == INFO_CORE_SIZE + EF_SPEND.record_size, Status.WRONG_LENGTH)
    _, keys = module.keys(data[:INFO_CORE_SIZE])
    spend = sealed_records.open_spend(keys.record, data[INFO_CORE_SIZE:])
    return None if spend is None else bytes(spend)


def _opened(clear: bytes | None) -> bytes:
    return NOT_VALID if clear is None else VALID + clear
