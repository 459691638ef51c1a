"""What somebody with the shops' keys would send to a card to raise its value (law 3)."""

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.commands import get_challenge, select_purse, verify_pin
from cardlib.codec.files import DF_BUONO_FIRST, EF_GRANT
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.dialogues.secured import SecuredWriter
from cardlib.keys import records
from cardlib.keys.grants import sign_grant
from cardlib.keys.suites import suite_of
from cardlib.wire.ed25519 import SigningKey
from simulator.card.randomness import SeededRandomness
from tests.integration.terminal.stage import StageCard, WalletSpec


def try_everything(reader: CardConnection, card: StageCard, pin: str, seed: int) -> None:
    """Grants, map, keys and PIN, all MACed under K_DC: the card must refuse each of them."""
    debit = card.keys.debit
    forged = sign_grant(
        SigningKey(bytes([seed]) * 32), card.info.core,
        WalletSpec(granted=900_00, grant_seq=99).grant(),
    )  # fmt: skip
    grant = records.seal_grant(debit.record, forged)
    commands = (
        Command(0x00, 0xDC, 1, EF_GRANT.read_p2, grant),
        Command(0x00, 0xDC, 1, EF_GRANT.read_p2, bytes(EF_GRANT.record_size)),
        Command(0x00, 0xD6, 0x81, 0x10, b"\xff"),
        Command(0x90, 0x24, 0x00, 0x85, bytes(16)),
        Command(0x00, 0x2C, 0x02, 0x9C, Pin("11111").block),
    )
    channel = Channel(reader)
    for plain in commands:
        writer = SecuredWriter(
            suite_of(card.info.suite), debit.command, debit.response, SeededRandomness(seed)
        )
        channel.send(select_purse(DF_BUONO_FIRST))
        channel.send(verify_pin(Pin(pin)))
        writer.challenged(channel.send(get_challenge()))
        channel.send(writer.fresh_random())
        assert not channel.send(writer.secured(plain)).ok
    channel.reset()
