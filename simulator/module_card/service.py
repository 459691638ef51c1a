"""Commands about the module itself: who it is, what it signs, its operator's keys and orders."""

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from cardlib.codec.apdu import Command
from cardlib.codec.module_card import (
    KEY_SETS_MAX,
    KEY_SIZE,
    ModuleDescription,
    ModuleStatus,
    Signed,
)
from cardlib.codec.status import Status
from simulator.card.refusal import Refusal
from simulator.module_card import cbor, documents
from simulator.module_card import intent as intents
from simulator.module_card.memory import Allowance, ModuleMemory
from simulator.module_card.module import Module
from simulator.module_card.quota import require_allowed
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import Malformed, refuse_unless

REQUEST_START = b'"@method": '
"""A request base begins so (RFC 9421, 2.5); documents are signed over ``84 6A …``."""
_COUNT_MAX = 0xFFFFFFFF
_LONG_MAX = 0xFFFFFFFFFFFF


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


def _sign_entry(module: Module, payload: bytes) -> bytes:
    """An entry's signature; an intent is remembered, and refused when no debit is left for it."""
    module.require_enrolled()
    seed = module.memory.signing_seed
    fields = intents.entry_fields(payload, module.memory.terminal)
    if intents.is_intent(fields):
        entry_hash = documents.hash_of(seed, documents.ENTRY, payload)
        intent = intents.intent_of(fields, entry_hash)
        require_allowed(module.memory, intent)
        module.session.intent = intent
    return documents.signature(seed, documents.ENTRY, payload)


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


def _box_key(memory: ModuleMemory) -> bytes:
    return bytes(PrivateKey(memory.box_seed).public_key)
