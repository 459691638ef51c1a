"""A purse on a virtual card, its keys, and an authority that plans one load and keeps notes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardlib.codec.files import KeyId
from cardlib.codec.purse import (
    FLAG_ATTESTATION,
    FLAG_PIN_ENFORCED,
    ZERO_TOTALS,
    Grant,
    Info,
    Spend,
    SpendType,
)
from cardlib.dialogues.load import CardState, GrantWrite, LoadPlan, ReadDown
from cardlib.errors import CardGoneError
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.module import GrantReading
from cardlib.wire.ed25519 import SigningKey
from simulator.card.card import VirtualCard
from simulator.card.chip import Tear
from simulator.card.filesystem import Memory
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection

VECTORS = Path(__file__).parents[3] / "vectors" / "protocol-vectors.json"
MASTERS = IssuerMasters(bytes(32), b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)
ISSUER_KEY = SigningKey(b"\x04" * 32)
INFO = Info(
    purse=bytes.fromhex("a1a2a3a4a5a6a7a8"),
    issuer=bytes.fromhex("018153"),
    suite=1,
    flags=FLAG_PIN_ENFORCED | FLAG_ATTESTATION,
    key_set=1,
    expiry=4017,
)
KEYS = PurseKeys.derive(MASTERS, INFO)
PIN, PUK = "12345", "12345678"


def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


def keys_by_id(keys: PurseKeys = KEYS) -> dict[int, bytes]:
    return {
        KeyId.DEBIT_COMMAND: keys.debit.command,
        KeyId.DEBIT_RESPONSE: keys.debit.response,
        KeyId.ATTEST: keys.attest,
        KeyId.LOAD_COMMAND: keys.load_command,
        KeyId.LOAD_RESPONSE: keys.load_response,
        KeyId.ADMIN_COMMAND: keys.admin_command,
        KeyId.ADMIN_RESPONSE: keys.admin_response,
        KeyId.ADMIN_ENCIPHER: keys.admin_encipher,
    }


def signed_grant(grant_seq: int, granted_total: int, slot: int = 1, **other: int) -> SignedGrant:
    fields = {
        "programme": 12, "categories": 15, "valid_from": 2400, "valid_to": 2860,
        "base_spent": 0, "base_ctr": 0, "flags": 0, "day_limit_eur": 0, "issuer_key": 1,
    } | other  # fmt: skip
    grant = Grant(slot=slot, grant_seq=grant_seq, granted_total=granted_total, **fields)
    return sign_grant(ISSUER_KEY, INFO.core, grant)


def init_spend(ctr: int = 0) -> Spend:
    return Spend(SpendType.INIT, ctr, b"\x11" * 8, ZERO_TOTALS, 0, 0, 1_780_000_000, 0, bytes(4))


def sealed(signed: SignedGrant) -> bytes:
    return records.seal_grant(KEYS.debit.record, signed)


def white_memory() -> Memory:
    return make_card(WHITE, SeededRandomness("stock"), Holder(), TRAINING_TRANSPORT_KEYS)


def loaded_memory(grants: dict[int, SignedGrant] | None = None, record_map: int = 0) -> Memory:
    """A white card with a fresh purse that holds ``grants`` by record number."""
    memory = white_memory()
    add_purse(
        memory,
        info=INFO.core + bytes((record_map,)),
        keys=keys_by_id(),
        pin=PIN,
        puk=PUK,
        spends=[records.seal_spend(KEYS.debit.record, init_spend())],
        grants={number: sealed(signed) for number, signed in (grants or {}).items()},
    )
    return memory


def connect(memory: Memory, seed: str = "card") -> InProcessConnection:
    return InProcessConnection(VirtualCard(memory, SeededRandomness(seed)))


def grants_on(memory: Memory) -> dict[int, SignedGrant]:
    """What EF.GRANT holds, decrypted, by record number."""
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file_by_sfi(2)
    assert file is not None
    opened = enumerate((records.open_grant(KEYS.debit.record, item) for item in file.records), 1)
    return {number: signed for number, signed in opened if signed is not None}


def record_map(memory: Memory) -> int:
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file_by_sfi(1)
    assert file is not None
    return file.content[16]


@dataclass
class NotingAuthority:
    """Plans what it was told to plan and notes what the dialogue reports."""

    plan: LoadPlan | Callable[[CardState], LoadPlan | ReadDown]
    keys_of: PurseKeys = KEYS
    states: list[CardState] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def keys(self, info: Info) -> PurseKeys | None:
        return self.keys_of if info.purse == INFO.purse else None

    def decide(self, state: CardState) -> LoadPlan | ReadDown:
        self.states.append(state)
        return self.plan if isinstance(self.plan, LoadPlan) else self.plan(state)

    def granted(self, write: GrantWrite) -> None:
        self.notes.append(f"granted {write.number}")

    def cleared(self, number: int) -> None:
        self.notes.append(f"cleared {number}")

    def reread(self, grants: tuple[GrantReading, ...]) -> None:
        held = [item.number for item in grants if item.signed is not None]
        self.notes.append(f"reread {held}")


class TornConnection:
    """Loses the card before the ``n``-th command arrives, or after it, answer lost.

    With ``tear`` the power fails in the middle of that command, if it writes.
    """

    def __init__(
        self, inner: InProcessConnection, n: int, *, after: bool, tear: Tear | None = None
    ) -> None:
        assert isinstance(inner.card, VirtualCard)
        self._inner, self._card, self._left = inner, inner.card, n
        self._after, self._tear = after, tear
        self.sent = 0

    def transmit(self, apdu: bytes) -> bytes:
        self._left -= 1
        if self._left > 0:
            self.sent += 1
            return self._inner.transmit(apdu)
        if self._tear is not None:
            self._card.tear_next_write(self._tear)
        if self._left == 0 and (self._after or self._tear is not None):
            self._card.transmit(apdu)
        self._card.tear_next_write(None)
        self._card.power_off()
        raise CardGoneError


def count_volleys(dialogue: Any, transmit: Callable[[bytes], bytes]) -> tuple[Any, list[int]]:
    """Runs a dialogue; its result and the number of commands in each volley."""
    from cardlib.dialogues.volley import transmit_volley

    sizes: list[int] = []
    try:
        volley = next(dialogue)
        while True:
            sizes.append(len(volley))
            volley = dialogue.send(transmit_volley(volley, transmit))
    except StopIteration as stop:
        return stop.value, sizes
