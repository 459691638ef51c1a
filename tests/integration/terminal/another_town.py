"""Another town and its purse: B002 on a card that has the stage's own in B001."""

from dataclasses import replace

from cardlib.codec.purse import Info, Suite
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.grants import sign_grant
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.bundle import IssuerKey
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from simulator.card.masks import WHITE
from simulator.card.purses import add_purse
from terminal.till import Till
from tests.integration.terminal.stage import (
    ISSUER,
    KEY_SET,
    Stage,
    StageCard,
    WalletSpec,
    blank_spend,
    card_keys,
)

OTHER_ISSUER = bytes.fromhex("058091")
OTHER_PIN = "54321"
OTHER_KEY = SigningKey(bytes([0x0F]) * 32)
OTHER_MASTERS = IssuerMasters(*(bytes([0x40 + n]) * 32 for n in range(4)))
OTHER_WALLET = WalletSpec(granted=25_00, programme=40)


def with_another_town(
    stage: Stage, card: StageCard, *, suite: int = Suite.TDEA_2KEY, mask: str = WHITE
) -> StageCard:
    """The same card after the other town has put its purse on it: B002, 25.00 EUR."""
    info = Info(
        purse=bytes([0xC5]) * 8, issuer=OTHER_ISSUER, suite=suite, flags=0xC0, key_set=KEY_SET,
        expiry=card.info.expiry, record_map=1,
    )  # fmt: skip
    keys = PurseKeys.derive(OTHER_MASTERS, info)
    grant = sign_grant(OTHER_KEY, info.core, OTHER_WALLET.grant())
    add_purse(
        card.card.memory, info=bytes(info), keys=card_keys(keys, mask), pin=OTHER_PIN,
        puk="87654321", spends=[records.seal_spend(keys.debit.record, blank_spend())],
        grants={1: records.seal_grant(keys.debit.record, grant)},
    )  # fmt: skip
    stage.install(issuer_keys=(*stage.bundle.issuer_keys, IssuerKey(
        OTHER_ISSUER, 1, OTHER_KEY.public,
    )))  # fmt: skip
    return replace(card, info=info, keys=keys)


def till_of(stage: Stage, *issuers: bytes, number: int = 502) -> Till:
    """A till that serves these towns."""
    masters = {ISSUER: stage.masters, OTHER_ISSUER: OTHER_MASTERS}
    held = tuple(DebitMaster(issuer, KEY_SET, masters[issuer].debit) for issuer in issuers)
    ring = KeyRing(SigningKey(bytes([number & 0xFF]) * 32), held)
    return stage.till(number, module=SoftModule(ring, stage.randomness))


def second_spent(card: StageCard) -> int:
    """Cents spent of the other town's purse."""
    purse = card.card.memory.find((0x1200, 0xB002))
    assert purse is not None
    file = purse.file_by_sfi(3)
    assert file is not None
    spend = records.open_spend(card.keys.debit.record, file.records[0])
    assert spend is not None
    return spend.spent[0]
