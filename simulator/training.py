"""A purse for training, on a card of one's own: issuer 000000, whose keys are nobody's secret.

Masters and the grants' signing key are made from public phrases, so that whoever has this
package can read and debit such a purse. A backend's own training issuer has other keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from cardlib.codec.files import KeyId
from cardlib.codec.purse import (
    FLAG_ATTESTATION,
    FLAG_PIN_ENFORCED,
    SLOTS,
    ZERO_TOTALS,
    Grant,
    Info,
    Spend,
    SpendType,
    Suite,
    day_number,
)
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, KeyUse, PurseKeys, derive
from cardlib.keys.grants import sign_grant
from cardlib.ports import Randomness
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import TRAINING_ISSUER
from simulator.card.filesystem import Directory, Memory
from simulator.card.masks import traits_of
from simulator.card.purses import add_purse
from simulator.card.traits import PurseKind

PIN, PUK = "12345", "12345678"
"""Of every training purse: nobody's secret."""
KEY_SET, ISSUER_KEY_ID = 1, 1
EXPIRES_ON = date(2035, 12, 31)
VALID_FROM = date(2020, 1, 1)
PROGRAMME = 1
ALL_CATEGORIES = 0xFFFFFFFF


def _public(use: str) -> bytes:
    return sha256(f"borsellino training {use}".encode()).digest()


MASTERS = IssuerMasters(*(_public(use) for use in ("debit", "attest", "load", "admin")))
"""M_DEBIT, M_ATTEST, M_LOAD, M_ADMIN of issuer 000000, key set 1."""
ISSUER_KEY = SigningKey(_public("grants"))
"""Signs the grants of training purses."""


@dataclass(frozen=True, slots=True)
class TrainingWallet:
    """A wallet to put on a training purse: cents granted, and what it buys as a bit mask."""

    granted: int
    categories: int = ALL_CATEGORIES
    programme: int = PROGRAMME


def add_training_purse(
    memory: Memory, wallets: Sequence[TrainingWallet], randomness: Randomness
) -> Directory:
    """Adds a purse with up to six wallets, nothing spent yet; PIN and PUK as above."""
    assert 1 <= len(wallets) <= SLOTS
    info = Info(
        purse=randomness.bytes(8), issuer=TRAINING_ISSUER, suite=Suite.AES_128,
        flags=FLAG_PIN_ENFORCED | FLAG_ATTESTATION, key_set=KEY_SET,
        expiry=day_number(EXPIRES_ON), record_map=(1 << len(wallets)) - 1,
    )  # fmt: skip
    keys = PurseKeys.derive(MASTERS, info)
    if traits_of(memory).purse is PurseKind.LEGACY:
        info = replace(info, flags=FLAG_PIN_ENFORCED)
    return add_purse(
        memory, info=bytes(info), keys=_on_card(keys, info, memory), pin=PIN, puk=PUK,
        spends=[records.seal_spend(keys.debit.record, _first(randomness))],
        grants={slot: _grant(keys, info, slot, wallet) for slot, wallet in enumerate(wallets, 1)},
    )  # fmt: skip


def _first(randomness: Randomness) -> Spend:
    return Spend(
        SpendType.INIT, 0, randomness.bytes(8), ZERO_TOTALS,
        terminal=0, seq=0, time=0, day_spent=0, prev=bytes(4),
    )  # fmt: skip


def _grant(keys: PurseKeys, info: Info, slot: int, wallet: TrainingWallet) -> bytes:
    grant = Grant(
        slot=slot, grant_seq=slot, programme=wallet.programme, categories=wallet.categories,
        valid_from=day_number(VALID_FROM), valid_to=day_number(EXPIRES_ON),
        granted_total=wallet.granted, base_spent=0, base_ctr=0, flags=0, day_limit_eur=0,
        issuer_key=ISSUER_KEY_ID,
    )  # fmt: skip
    return records.seal_grant(keys.debit.record, sign_grant(ISSUER_KEY, info.core, grant))


def _on_card(keys: PurseKeys, info: Info, memory: Memory) -> dict[int, bytes]:
    on_card: dict[int, bytes] = {
        KeyId.DEBIT_COMMAND: keys.debit.command,
        KeyId.DEBIT_RESPONSE: keys.debit.response,
        KeyId.ATTEST: keys.attest,
        KeyId.LOAD_COMMAND: keys.load_command,
        KeyId.LOAD_RESPONSE: keys.load_response,
        KeyId.ADMIN_COMMAND: keys.admin_command,
        KeyId.ADMIN_RESPONSE: keys.admin_response,
        KeyId.ADMIN_ENCIPHER: keys.admin_encipher,
    }
    kind = traits_of(memory).purse
    if kind is PurseKind.APPLET:
        on_card[KeyId.RECORD] = keys.debit.record
    if kind is PurseKind.LEGACY:
        on_card[KeyId.ORACLE] = derive(MASTERS.attest, KeyUse.ORACLE, info)
        del on_card[KeyId.ATTEST]
    return on_card
