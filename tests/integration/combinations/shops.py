"""Two shops, enrolled as shops are: one with a software module, one with a module card."""

from dataclasses import dataclass
from pathlib import Path

from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from cardlib.drivers.card_module import CardModule
from cardlib.wire.bundle import Limits
from cardlib.wire.enrolment import (
    Certificate,
    DebitMaster,
    EnrolmentAnswer,
    EnrolmentRequest,
    ModuleKeys,
)
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_order import ModuleOrder
from simulator.modules import create_module
from terminal.till import Till
from terminal.till_enrolment import enrol, prepare
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys
from terminal.till_module import bind, module_of
from tests.integration.terminal.stage import ISSUER, KEY_SET, START, Stage

SOFT, CARD = "soft", "card"
MODULES = (SOFT, CARD)
PASSPHRASE, MODULE_PIN = "una frase lunga", "module-pin"
LEGACY_LIMIT = 20_00
_TERMINALS = {SOFT: 601, CARD: 602}


@dataclass(frozen=True, slots=True)
class Shops:
    """A town with its shops, by kind of module."""

    stage: Stage
    tills: dict[str, Till]

    @classmethod
    def opened(cls, stage: Stage) -> "Shops":
        """A town that allows legacy chips 20 EUR a sale."""
        stage.install(limits=Limits(legacy_sale_cents=LEGACY_LIMIT))
        return cls(stage, {module: _enrolled(stage, module) for module in MODULES})


def _enrolled(stage: Stage, module: str) -> Till:
    """Keys, request, the operator's answer, and the till open to sell."""
    directory = stage.folder / f"shop-{module}"
    slot = stage.folder / "module.card"
    config = TillConfig("http://127.0.0.1:1", cashier="1")
    if module == CARD:
        create_module(slot, stage.randomness, MODULE_PIN)
        config = TillConfig("http://127.0.0.1:1", cashier="1", module_image=str(slot))
        prepare(directory, PASSPHRASE, config, stage.randomness, bind(config.slot, MODULE_PIN))
    else:
        prepare(directory, PASSPHRASE, config, stage.randomness)
    request = EnrolmentRequest.open(_request(directory, config, stage))
    enrol(directory, PASSPHRASE, _answer(stage, request, module), stage.randomness)
    till = Till.open(directory, PASSPHRASE, stage.clock, stage.randomness)
    stage.open_tills.callback(till.close)
    return till


def _request(directory: Path, config: TillConfig, stage: Stage) -> bytes:
    keys = TillKeys.read(TillFiles(directory).keys, PASSPHRASE)
    signer = module_of(keys, config.slot, stage.randomness)
    if isinstance(signer, CardModule):
        return signer.request_enrolment("1234-5678")
    return keys.request("1234-5678")


def _answer(stage: Stage, request: EnrolmentRequest, module: str) -> EnrolmentAnswer:
    """What the operator's backend answers."""
    certificate = Certificate(
        terminal=TerminalNumber(_TERMINALS[module]), public_key=request.public_key, merchant=31,
        merchant_name="Alimentari Rossi", operator="Comune di Prova", issued_at=START - 86_400,
    ).sign(stage.operator)  # fmt: skip
    keys = ModuleKeys((DebitMaster(ISSUER, KEY_SET, stage.masters.debit),))
    sealed = bytes(SealedBox(BoxKey(request.box_key)).encrypt(keys.encode()))
    operator, bundle = stage.operator.public, stage.bundle.sign(stage.operator)
    if module == SOFT:
        return EnrolmentAnswer(operator, certificate, sealed, bundle)
    order = ModuleOrder(
        module=request.public_key, number=1, debits_max=1000, cents_max=1_000_000, ceiling=0,
        sealed_keys=sealed,
    ).sign(stage.operator)  # fmt: skip
    return EnrolmentAnswer(operator, certificate, b"", bundle, order)
