"""Fuzzes the module card: it answers everything, and gives away neither keys nor quota.

A round goes along with the recorded talk of a sale for a while, changes one command, and
goes on. Keys, owner and allowance never change; a PIN only by who knows it or the PUK; what
was debited never falls, and never passes the allowance.
"""

from collections.abc import Callable
from functools import cache
from random import Random

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.drivers.card_module import CardModule
from cardlib.drivers.file_card import FileCard
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.module_card import memory as images
from simulator.module_card.card import ModuleCard
from simulator.module_card.memory import ModuleMemory
from tests.fuzz.changes import changed, made_up, random_bytes
from tests.fuzz.dialogues import stage
from tests.fuzz.finding import FindingError
from tests.integration.terminal.stage import ISSUER, KEY_SET, PIN, Customer
from tests.module_cards import PIN as MODULE_PIN
from tests.module_cards import Slot, ready_memory

TERMINAL = 610
_INTERNAL = b"\x6f\x00"
_PIN_COMMANDS = (0x24, 0x2C)


def play(seed: int, number: int) -> int:
    """One round; the number of commands it sent. Raises FindingError."""
    random = Random(f"module {seed} {number}")
    saved, commands = _recorded()
    card = ModuleCard(images.decode(saved), SeededRandomness("module"))
    at = random.randrange(len(commands))
    own = commands[at]
    kinds: tuple[Callable[[], list[bytes]], ...] = (
        lambda: [changed(random, own)],
        lambda: [changed(random, changed(random, own))],
        lambda: [made_up(random), own],
        lambda: [random_bytes(random), own],
        lambda: [own, own],
        list,
    )
    change = random.choice(kinds)()
    tail = [*commands[at + 1 :], *random.sample(commands, 4)]
    talk: list[tuple[bytes, bytes]] = []
    for apdu in (*commands[:at], *change, *tail):
        before, spent = _kept(card.memory), (card.memory.debits, card.memory.cents)
        answer = card.transmit(apdu)
        talk.append((apdu, answer))
        what = _wrong(card.memory, apdu, answer, before, spent)
        if what:
            raise FindingError(what, f"module, seed {seed}, round {number}", talk)
    return len(talk)


def _wrong(
    memory: ModuleMemory, apdu: bytes, answer: bytes, before: object, spent: tuple[int, int]
) -> str:
    """What is wrong, if anything."""
    if len(answer) < 2:
        return f"an answer of {len(answer)} bytes"
    if answer == _INTERNAL:
        return "the module failed inside"
    secrets = (memory.signing_seed, memory.box_seed, *memory.masters.values())
    if any(secret in answer for secret in secrets):
        return "a key left the module"
    if _kept(memory) != before and apdu[1:2] not in [bytes((ins,)) for ins in _PIN_COMMANDS]:
        return "something changed that nobody permitted"
    if memory.debits < spent[0] or memory.cents < spent[1]:
        return "a debit was forgotten"
    allowed = memory.allowance
    if memory.debits > allowed.debits_max or memory.cents > allowed.cents_max:
        return "more was debited than was allowed"
    return ""


def _kept(memory: ModuleMemory) -> object:
    """What no command of a till may change."""
    return (
        memory.serial, memory.pin.value, memory.puk.value, memory.signing_seed, memory.box_seed,
        memory.operator, memory.certificate, memory.terminal, tuple(memory.masters.items()),
        tuple(memory.purses.items()), memory.allowance,
    )  # fmt: skip


@cache
def _recorded() -> tuple[bytes, tuple[bytes, ...]]:
    """A module in service, and what it is told in a sale."""
    key = SigningKey(bytes((TERMINAL & 0xFF,)) * 32)
    master = DebitMaster(ISSUER, KEY_SET, stage().masters.debit)
    memory = ready_memory(
        key, TERMINAL, stage().operator, master, randomness=SeededRandomness("module")
    )
    saved = images.encode(memory)
    card, till = stage().card(number=10), stage().till(TERMINAL)
    intent = Customer(till, card.plug()).buy(12_50).intent.complete
    heard = _Heard(Slot(ModuleCard(images.decode(saved), SeededRandomness("module"))).connect())
    module = CardModule(lambda: heard, MODULE_PIN, key.public)
    driver = FileCard(
        Channel(InProcessConnection(stage().card(number=10).card)), module, till.trust
    )
    driver.read()
    driver.verify_pin(Pin(PIN))
    driver.debit(intent)
    module.record_of(intent)
    module.state()
    replayed = ModuleCard(images.decode(saved), SeededRandomness("module"))
    for command in heard.commands:
        replayed.transmit(command)
    assert replayed.memory.debits == 1, "the recorded talk debits when it is replayed"
    return saved, tuple(heard.commands)


class _Heard(Shim):
    """Notes what is said."""

    def __init__(self, inner: CardConnection) -> None:
        super().__init__(inner)
        self.commands: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.commands.append(apdu)
        return self.inner.transmit(apdu)
