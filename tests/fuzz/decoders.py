"""Fuzzes the decoders: any bytes give a value or a CardlibError, and nothing else."""

from collections.abc import Callable
from functools import cache
from random import Random

from cardlib.codec import pin_pad, tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.atr import Atr
from cardlib.codec.module_card import ModuleDescription
from cardlib.codec.personal_data import PersonalData
from cardlib.codec.purse import Grant, Info, Spend
from cardlib.drivers.choose import is_applet
from cardlib.errors import CardlibError
from cardlib.pin_pad import find_pin_pad
from cardlib.trace import Exchange
from cardlib.trace.conversation import Conversation
from cardlib.transport import Transport
from simulator.card.masks import MASKS
from tests.fuzz.changes import changed
from tests.fuzz.dialogues import recordings
from tests.fuzz.finding import FindingError
from tests.unit.cardlib.dialogues.purse_bench import INFO, init_spend, signed_grant

PERSON = b"00006C0460300801012012083112201705ROSSI05MARIO"
PROPERTIES = bytes.fromhex("0102100202010706010507010C")
SIZES = (0, 1, 2, 3, 4, 8, 16, 17, 24, 33, 54, 95, 200)


def play(seed: int, number: int) -> bool:
    """One round; whether there was a value. Raises FindingError."""
    random = Random(f"decoders {seed} {number}")
    name, decode, examples = random.choice(_decoders())
    raw = _bytes(random, examples)
    try:
        decode(raw)
    except CardlibError:
        return False
    except Exception as error:
        where = f"decoders, seed {seed}, round {number}: {name}"
        raise FindingError(f"{type(error).__name__}: {error}", where, [(raw, b"")]) from error
    return True


def _bytes(random: Random, examples: tuple[bytes, ...]) -> bytes:
    """Nothing but random, or a good example with something about it changed."""
    if random.random() < 0.3:
        return random.randbytes(random.choice(SIZES))
    raw = random.choice(examples)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        raw = changed(random, raw)
    return raw


Decode = Callable[[bytes], object]


@cache
def _decoders() -> tuple[tuple[str, Decode, tuple[bytes, ...]], ...]:
    atrs = tuple(mask.atr for mask in MASKS.values())
    talks = [pair for recording in recordings() for pair in recording.talk]
    commands = tuple(command for command, _ in talks)
    answers = tuple(answer for _, answer in talks)
    described = ModuleDescription(3, bytes(32), bytes(32), 502, bytes(8), 1)
    features = bytes.fromhex("060442330006 070442330007 12044233000C".replace(" ", ""))
    return (
        ("ATR", _every_property, atrs),
        ("transport of an ATR", _transport, atrs),
        ("driver by ATR", is_applet, atrs),
        ("command", Command.decode, commands),
        ("answer", Response.decode, answers),
        ("TLV", tlv.decode, commands + answers),
        ("strict TLV", tlv.decode_strict, commands + answers),
        ("INFO", _info, (bytes(INFO),)),
        ("SPEND", Spend.decode, (bytes(init_spend()),)),
        ("GRANT", _grant, (bytes(signed_grant(1, 100).grant),)),
        ("personal data", PersonalData.decode, (PERSON,)),
        ("reader features", pin_pad.decode_features, (features,)),
        ("PIN properties", pin_pad.decode_pin_properties, (bytes.fromhex("10020207"),)),
        ("reader properties", pin_pad.decode_tlv_properties, (PROPERTIES,)),
        ("keypad", _keypad, (features,)),
        ("module", ModuleDescription.decode, (bytes(described),)),
        ("trace", _trace, commands + answers),
    )  # fmt: skip


def _every_property(raw: bytes) -> object:
    atr = Atr.decode(raw)
    told = (atr.protocols, atr.specific_mode, atr.protocol, atr.ifsc, atr.cns_version)
    return told, atr.capabilities, atr.extended_length


def _transport(raw: bytes) -> object:
    return Transport.of_card(raw, raw[0] & 1 if raw else None)


def _info(raw: bytes) -> object:
    info = Info.decode(raw)
    return info.expires_on, info.issuer_code, info.pin_enforced, info.core


def _grant(raw: bytes) -> object:
    grant = Grant.decode(raw)
    return grant.allows(31), grant.valid_on(0)


def _keypad(raw: bytes) -> object:
    """A reader that answers every question with the same bytes."""

    class Reader:
        atr = b""

        def control(self, _code: int, _data: bytes) -> bytes:
            return raw

        def transmit(self, _apdu: bytes) -> bytes:
            return raw

        def reset(self) -> None:
            pass

        def close(self) -> None:
            pass

    pad = find_pin_pad(Reader())
    return None if pad is None else pad.fill_in(pin_pad.verify_blank())


def _trace(raw: bytes) -> object:
    """What is shown of a conversation: nothing that was said may break the log."""
    conversation = Conversation()
    at = len(raw) // 2
    for command, answer in ((raw, None), (raw, raw), (raw[:at], raw[at:]), (raw, b"\x90\x00")):
        exchange = Exchange(command, answer)
        str(exchange)
        conversation.decode(exchange)
    return conversation
