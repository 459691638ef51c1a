"""A shop with a module card in a whole town: enrolled, sold, synchronised, audited."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.services.administration import module_orders
from backend.services.administration.module_orders import ModuleAllowance
from backend.services.export import write_export
from backend.verifier.audit import audit
from cardlib.errors import ModuleRefusedError
from cardlib.wire.entry import decode_entry
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.money import Money
from simulator.card.randomness import SeededRandomness
from simulator.module_card.card import ModuleCard
from simulator.module_card.memory import ModuleMemory
from simulator.modules import create_module
from simulator.town import people
from simulator.town.people import FOOD, MARIA
from simulator.town.shop import Shop
from terminal.agent import enrolment
from terminal.sale.states import State
from terminal.till import TillConfig
from terminal.till_keys import TillKeys
from tests.integration.demo.town import Town

PIN = "module-pin"
STALL = people.Merchant("stall", "Bancarella Neri", "IT37T9999901600000000000003")


@dataclass
class Stall:
    """A market stall whose till has a module card."""

    town: Town
    shop: Shop
    image: Path

    @classmethod
    def opened(cls, town: Town) -> "Stall":
        story = town.story
        image = town.directory / "module.card"
        create_module(image, SeededRandomness("module"), PIN)
        shop = Shop(town.directory / "stall", "secret", story.clock, story.randomness)
        stall = cls(town, shop, image)
        with town.hall.serve(town.port) as url:
            stall.enrol(url)
        return stall

    def enrol(self, url: str) -> None:
        config = TillConfig(backend_url=url, cashier="1", module_image=str(self.image))
        public = enrolment.prepare_keys(
            self.shop.directory, self.shop.passphrase, config, self.shop.randomness, PIN
        )
        hall = self.town.hall
        code = hall.enrolment_code(hall.register(STALL), public.fingerprint)
        self.shop.enrol(code, hall.operator_fingerprint)

    @property
    def module(self) -> ModuleMemory:
        return ModuleCard.load(self.image, self.shop.randomness).memory

    def sell(self, cents: int) -> State:
        story = self.town.story
        with story.reader.insert(story.image(MARIA)) as card:
            result, _ = self.shop.sell(card, story.pin(MARIA), [(FOOD, Money(cents))])
        return result.state

    def synchronise(self) -> None:
        with self.town.hall.serve(self.town.port):
            report = self.shop.synchronise()
        assert (report.problem, report.pending) == ("", 0)


@pytest.fixture
def small_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_orders, "ALLOWANCE", ModuleAllowance(3, 10_00, 5_00))


def test_a_shop_with_a_module_card_from_enrolment_to_audit(tmp_path: Path) -> None:
    with Town.opened(tmp_path / "town") as town:
        stall = Stall.opened(town)
        assert stall.sell(2_50) is State.CLOSED
        stall.synchronise()
        entries = [decode_entry(item) for item in stall.shop.journal_bytes()]
        assert {entry.header.module_class for entry in entries} == {ModuleClass.CARD}
        assert town.balance() == Money(120_00 - 2_50)
        assert all(slot.agree for slot in town.slots())
        hall = town.hall
        write_export(hall.backend.work, tmp_path / "export", hall.clock.unix_ms() // 1000)
    assert audit(tmp_path / "export").holds


def test_the_masters_never_lie_in_the_tills_files(tmp_path: Path) -> None:
    with Town.opened(tmp_path / "town") as town:
        stall = Stall.opened(town)
        (master,) = stall.module.masters.values()
        keys = TillKeys.read(stall.shop.directory / "keys.sealed", "secret")
        assert (keys.module.masters, keys.signing_seed, keys.box_seed) == ((), b"", b"")
        files = (path.read_bytes() for path in stall.shop.directory.iterdir() if path.is_file())
        secrets = (master, stall.module.signing_seed)
        assert not any(secret in content for content in files for secret in secrets)


def test_a_used_up_allowance_is_renewed_by_synchronising(
    tmp_path: Path, small_allowance: None
) -> None:
    with Town.opened(tmp_path / "town") as town:
        stall = Stall.opened(town)
        assert stall.sell(4_00) is stall.sell(5_00) is State.CLOSED
        with pytest.raises(ModuleRefusedError, match="QUOTA_DEBIT_CEILING"):
            stall.sell(5_01)
        with pytest.raises(ModuleRefusedError, match="QUOTA_USED_UP"):
            stall.sell(1_01)
        stall.synchronise()
        assert stall.sell(5_00) is State.CLOSED
        may = stall.module.allowance
        assert (may.debits_max, may.cents_max) == (2 + 3, 9_00 + 10_00)
