"""Real dialogues with a card of every mask, recorded: what a fuzzer starts from.

A recording holds the card before the dialogue, the commands, and which of them were
*issued with authority*: secured writes that a holder of the keys has made. Chips draw
their challenges from a seed, so a recorded command is right again on a fresh copy of the
card, up to the first change.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.commands import (
    change_pin,
    choose_answer_key,
    get_challenge,
    read_info,
    select_purse,
    unblock_pin,
    verify_pin,
)
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    EF_GRANT,
    EF_SPEND,
    EF_SPEND_APPEND_P2,
    KeyId,
)
from cardlib.codec.pin import Pin
from cardlib.codec.purse import FLAG_ATTESTATION, FLAG_PIN_ENFORCED, Spend, SpendType
from cardlib.dialogues.inspect import inspect_card, read_log
from cardlib.dialogues.load import GrantWrite, LoadPlan, load, map_of
from cardlib.dialogues.personalise import PursePlan, TransportKeys, personalise
from cardlib.dialogues.secured import SecuredWriter
from cardlib.keys import records
from cardlib.keys.secure_messaging import read_record_command
from cardlib.keys.suites import suite_of
from cardlib.wire.bundle import Limits
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import MASKS, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.card.traits import PurseKind
from simulator.connection import InProcessConnection
from tests.integration.terminal.stage import Customer, Stage
from tests.unit.cardlib.dialogues.purse_bench import (
    INFO,
    KEYS,
    PIN,
    PUK,
    NotingAuthority,
    init_spend,
    keys_by_id,
    sealed,
    signed_grant,
)
from tests.unit.cardlib.dialogues.test_personalise import FixedPlan

OLD, NEW = signed_grant(7, 5000), signed_grant(8, 9000)
RELOAD = LoadPlan(GrantWrite(2, NEW), (1,), map_of((2,)))
PLAIN = 0x00
"""The class of commands that carry no MAC."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A dialogue with one card, from its power-up."""

    mask: str
    name: str
    image: bytes
    talk: tuple[tuple[bytes, bytes], ...]

    @property
    def commands(self) -> tuple[bytes, ...]:
        """What the host said."""
        return tuple(command for command, _ in self.talk)

    def card(self) -> VirtualCard:
        """A fresh copy of the card, which draws the same challenges again."""
        return VirtualCard(image.decode(self.image), _chip_randomness(self.mask, self.name))

    def __str__(self) -> str:
        return f"{self.mask} {self.name}"


class _Listening:
    """A connection that notes what is said."""

    def __init__(self, card: VirtualCard) -> None:
        self._card = card
        self.talk: list[tuple[bytes, bytes]] = []

    @property
    def atr(self) -> bytes:
        return self._card.atr

    def transmit(self, apdu: bytes) -> bytes:
        answer = self._card.transmit(apdu)
        self.talk.append((apdu, answer))
        return answer

    def reset(self) -> None:
        self._card.reset()

    def close(self) -> None:
        self._card.reset()


@dataclass(frozen=True, slots=True)
class _Script:
    name: str
    memory: Callable[[str], Memory]
    run: Callable[[Channel], None]


@cache
def recordings() -> tuple[Recording, ...]:
    """All dialogues with all masks."""
    scripted = (_record(mask, script) for mask in MASKS for script in _scripts(mask))
    return *scripted, *(_sale_at_a_till(mask) for mask in MASKS if not _is_file(mask))


def _chip_randomness(mask: str, name: str) -> SeededRandomness:
    """No challenge of one recording is one of another's."""
    return SeededRandomness(f"chip {mask} {name}")


def _record(mask: str, script: _Script) -> Recording:
    memory = script.memory(mask)
    saved = image.encode(memory)
    listening = _Listening(VirtualCard(memory, _chip_randomness(mask, script.name)))
    script.run(Channel(listening))
    return Recording(mask, script.name, saved, tuple(listening.talk))


def _scripts(mask: str) -> Iterator[_Script]:
    traits = MASKS[mask].traits
    yield _Script("inspection", with_purse, _inspect)
    yield _Script("pins", with_purse, _pins)
    yield _Script("administration", with_purse, _administer)
    if traits.purse is not PurseKind.LEGACY:
        yield _Script("load", with_purse, _load)
    if _is_file(mask):
        yield _Script("sale", with_purse, _sell)
        yield _Script("personalisation", blank, _personalise)
    if traits.cns is not None:
        yield _Script("signature", with_purse, _sign)


def _is_file(mask: str) -> bool:
    return MASKS[mask].traits.purse is PurseKind.FILE


def _sale_at_a_till(mask: str) -> Recording:
    """A sale with a real till and its driver for this chip."""
    number = list(MASKS).index(mask) + 100
    legacy = MASKS[mask].traits.purse is PurseKind.LEGACY
    flags = FLAG_PIN_ENFORCED if legacy else FLAG_PIN_ENFORCED | FLAG_ATTESTATION
    made = stage().card(number=number % 90, mask=mask, flags=flags)
    saved = image.encode(made.card.memory)
    card = VirtualCard(image.decode(saved), _chip_randomness(mask, "till"))
    shop = Customer(stage().till(number), InProcessConnection(card))
    assert shop.buy(12_50).goods_are_due
    talk = tuple((item.command, item.answer or b"") for item in shop.trace)
    return Recording(mask, "till", saved, talk)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz")


@cache
def stage() -> Stage:
    """A town for this process, in a folder that goes with it; it allows legacy chips."""
    made = Stage(Path(_folder().name))
    made.install(limits=Limits(legacy_sale_cents=20_00))
    return made


def blank(mask: str) -> Memory:
    """A card of stock."""
    return image.decode(_stock(mask))


@cache
def _stock(mask: str) -> bytes:
    memory = make_card(mask, SeededRandomness("stock"), Holder(), TRAINING_TRANSPORT_KEYS)
    return image.encode(memory)


def with_purse(mask: str) -> Memory:
    """A card with a purse of 50 EUR."""
    memory, keys = blank(mask), keys_by_id()
    if MASKS[mask].traits.purse is PurseKind.APPLET:
        keys[KeyId.RECORD] = KEYS.debit.record
    add_purse(
        memory, info=INFO.core + b"\x01", keys=keys, pin=PIN, puk=PUK,
        spends=[records.seal_spend(KEYS.debit.record, init_spend())], grants={1: sealed(OLD)},
    )  # fmt: skip
    return memory


def _inspect(channel: Channel) -> None:
    channel.run(inspect_card())
    channel.run(read_log())


def _pins(channel: Channel) -> None:
    right, wrong, other = Pin(PIN), Pin("99999"), Pin("54321")
    channel.send(select_purse(DF_BUONO_FIRST))
    for command in (
        verify_pin(right), verify_pin(wrong), Command(0x00, 0x20, 0, 0x9C),
        change_pin(wrong, other), change_pin(right, other), verify_pin(other),
        unblock_pin(Pin("11111111"), right), unblock_pin(Pin(PUK), right), verify_pin(right),
    ):  # fmt: skip
        channel.send(command)


def _load(channel: Channel) -> None:
    channel.run(load(NotingAuthority(RELOAD), SeededRandomness("host")))


def _sell(channel: Channel) -> None:
    """The ten commands of PROTOCOL 2; the record is sealed here, without a till."""
    writer = _open(channel, KEYS.debit.command, KEYS.debit.response)
    channel.send(read_record_command(1, EF_SPEND.read_p2, EF_SPEND.record_size))
    channel.send(read_record_command(1, EF_GRANT.read_p2, EF_GRANT.record_size))
    channel.send(verify_pin(Pin(PIN)))
    sale = Spend(
        SpendType.SALE, 1, b"\x22" * 8, (1250, 0, 0, 0, 0, 0), 502, 1, 1_790_000_000, 1250, bytes(4)
    )
    record = records.seal_spend(KEYS.debit.record, sale)
    channel.send(writer.secured(Command(0x00, 0xDC, 0, EF_SPEND_APPEND_P2, record)))
    channel.send(choose_answer_key(KeyId.ATTEST))
    channel.send(read_record_command(1, EF_SPEND.read_p2, EF_SPEND.record_size))


def _administer(channel: Channel) -> None:
    """A key changed, the PIN set by the backend, the end of the card put off."""
    writer = _open(channel, KEYS.admin_command, KEYS.admin_response)
    new_key = b"\x77" * 16
    _again(channel, writer)
    channel.send(writer.secured(Command(0x90, 0x24, 0, 0x83, new_key), KEYS.admin_encipher))
    _again(channel, writer)
    pin = Pin("24680").block
    channel.send(writer.secured(Command(0x00, 0x2C, 2, 0x9C, pin), KEYS.admin_encipher))
    loader = _open(channel, KEYS.load_command, KEYS.load_response)
    _again(channel, loader)
    channel.send(loader.secured(Command(0x00, 0xD6, 0x81, 0x0C, INFO.core[12:14] + b"\x10\x00")))


def _personalise(channel: Channel) -> None:
    keys = (TRAINING_TRANSPORT_KEYS[key] for key in (0x0A, 0x0B, 0x0C))
    plan = PursePlan(INFO, KEYS, TransportKeys(*keys), Pin(PIN), Pin(PUK), init_spend())
    channel.run(personalise(FixedPlan(plan), SeededRandomness("host")))


def _sign(channel: Channel) -> None:
    """What OpenSC asks of a CNS card: files, PIN, the holder's key, a PIN change."""
    digest_info = bytes.fromhex("3021300906052B0E03021A05000414") + b"\x11" * 20
    pin, other = b"12345\xff\xff\xff", b"54321\xff\xff\xff"
    puk = b"87654321"
    for apdu in (
        "00A40000023F0000", "00A4080002110200", "00B0000000", "00B0008000", "00A408000411001102",
        "00A40800041100110100", "00B0000010", "00B0FFFF10",
        "0020009008" + pin.hex(), "0022F303", "0022F1B603830101",
        "002A9E9A23" + digest_info.hex() + "80", "0022F1B803830101",
        "0024009010" + (pin + other).hex(), "002C009010" + (puk + pin).hex(),
        "0020001008" + pin.hex(),
    ):  # fmt: skip
        channel.transmit(bytes.fromhex(apdu))


def _open(channel: Channel, command_key: bytes, response_key: bytes) -> SecuredWriter:
    """The purse selected, with challenge and random."""
    writer = SecuredWriter(
        suite_of(INFO.suite), command_key, response_key, SeededRandomness("host")
    )
    channel.send(select_purse(DF_BUONO_FIRST))
    channel.send(read_info())
    _again(channel, writer)
    return writer


def _again(channel: Channel, writer: SecuredWriter) -> None:
    """A challenge and a random for the next write."""
    writer.challenged(channel.send(get_challenge()))
    channel.send(writer.fresh_random())
