"""A till enrolled for training purses of the published keys, on the machine's own clock."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from cardlib.keys.training import (
    TRAINING_GRANT_KEY,
    TRAINING_GRANT_SEED,
    TRAINING_KEY_SET,
    TRAINING_MASTERS,
)
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.bundle import Bundle, Category, IssuerKey, Limits, Programme
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import (
    Certificate,
    DebitMaster,
    EnrolmentAnswer,
    EnrolmentRequest,
    ModuleKeys,
)
from cardlib.wire.ids import TRAINING_ISSUER, TerminalNumber
from simulator.training import PROGRAMME
from terminal.till import Till
from terminal.till_enrolment import enrol, prepare
from terminal.till_files import TillConfig

GOODS = 0
PASSPHRASE = "nobody's secret"
_GRANTS = SigningKey(TRAINING_GRANT_SEED)
_OPERATOR = SigningKey(bytes([7]) * 32)


@contextmanager
def training_till(directory: Path) -> Generator[Till]:
    """Open to sell, from the first entry of its journal on."""
    clock, randomness = SystemClock(), SystemRandomness()
    now = clock.unix_ms() // 1000
    keys = prepare(directory, PASSPHRASE, TillConfig("http://127.0.0.1:1"), randomness)
    request = EnrolmentRequest.open(keys.request("0000-0000"))
    certificate = Certificate(
        terminal=TerminalNumber(1), public_key=request.public_key, merchant=1,
        merchant_name="Device ring", operator="Nobody", issued_at=now, training=True,
    )  # fmt: skip
    bundle = Bundle(
        version=1, issued_at=now, parameters=1, limits=Limits(), hotlist_version=1,
        watermark_version=1,
        issuer_keys=(IssuerKey(TRAINING_ISSUER, TRAINING_GRANT_KEY, _GRANTS.public),),
        programmes=(Programme(TRAINING_ISSUER, PROGRAMME, "Training"),),
        categories=(Category(GOODS, "merce", "goods"),),
    )  # fmt: skip
    module = ModuleKeys((DebitMaster(TRAINING_ISSUER, TRAINING_KEY_SET, TRAINING_MASTERS.debit),))
    sealed = bytes(SealedBox(BoxKey(request.box_key)).encrypt(module.encode()))
    answer = EnrolmentAnswer(
        _OPERATOR.public, certificate.sign(_OPERATOR), sealed, bundle.sign(_OPERATOR)
    )
    enrol(directory, PASSPHRASE, answer, randomness)
    with Till.open(directory, PASSPHRASE, clock, randomness) as till:
        yield till
