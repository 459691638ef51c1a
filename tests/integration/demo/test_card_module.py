"""A shop with a module card in a whole town: enrolled, sold, synchronised, audited."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app as backend_app
from backend.services.export.export import write_export
from backend.services.terminals import module_orders
from backend.services.terminals.module_orders import ModuleAllowance
from backend.verifier.audit import audit
from cardlib.drivers.card_module import CardModule
from cardlib.errors import ModuleRefusedError
from cardlib.wire.entry import decode_entry
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.money import Money
from simulator.card.randomness import SeededRandomness
from simulator.cli import app as sim_app
from simulator.module_card.card import ModuleCard
from simulator.module_card.memory import ModuleMemory
from simulator.modules import create_module, letter_path
from simulator.town.demo import people
from simulator.town.demo.people import FOOD, MARIA
from simulator.town.demo.shop import Shop
from terminal.agent import enrolment
from terminal.agent.cli import app as sync_app
from terminal.cli import app as terminal_app
from terminal.sale.states import State
from terminal.till import Till
from terminal.till_files import TillConfig
from terminal.till_keys import TillKeys
from terminal.till_module import ModuleSlot
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


def test_a_shop_with_a_module_card_from_enrolment_to_audit(town: Town, tmp_path: Path) -> None:
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


def test_a_till_with_a_module_card_may_be_offline_for_longer(town: Town) -> None:
    stall = Stall.opened(town)
    grocer = town.story.shops[people.GROCER.key]
    stops = [
        Till.load(shop.directory, "secret", shop.clock, shop.randomness).trust.limits
        for shop in (grocer, stall.shop)
    ]
    assert [limits.offline_days_stop for limits in stops] == [10, 20]


def test_the_masters_never_lie_in_the_tills_files(town: Town) -> None:
    stall = Stall.opened(town)
    (master,) = stall.module.masters.values()
    keys = TillKeys.read(stall.shop.directory / "keys.sealed", "secret")
    assert (keys.module.masters, keys.signing_seed, keys.box_seed) == ((), b"", b"")
    files = (path.read_bytes() for path in stall.shop.directory.iterdir() if path.is_file())
    secrets = (master, stall.module.signing_seed)
    assert not any(secret in content for content in files for secret in secrets)


def test_a_used_up_allowance_is_renewed_by_synchronising(town: Town, small_allowance: None) -> None:
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


def test_an_allowance_is_carried_by_hand_to_a_till_that_cannot_synchronise(
    town: Town, tmp_path: Path, small_allowance: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text("secret\n")
    monkeypatch.setenv("BORSELLINO_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    monkeypatch.setenv("BORSELLINO_PASSPHRASE", "secret")
    stall = Stall.opened(town)
    assert stall.sell(5_00) is stall.sell(4_00) is State.CLOSED
    assert module_command(stall, "show")["cents_left"] == 1_00
    terminal = str(stall.shop.terminal())
    file = tmp_path / "order"
    installation = ("--dir", str(tmp_path / "town" / "backend"))
    ran = CliRunner().invoke(
        backend_app,
        ["module-quota", terminal, str(file), "--debits", "9", "--euro", "30", *installation],
    )
    assert ran.exit_code == 0, ran.output
    # Nothing was uploaded: the order is for what the backend knows, which is nothing.
    told = module_command(stall, "order", str(file))
    assert (told["cents"], told["cents_left"], told["debits_left"]) == (9_00, 21_00, 7)


def module_command(stall: Stall, *words: str) -> dict[str, int]:
    directory = ("--dir", str(stall.shop.directory))
    ran = CliRunner().invoke(terminal_app, ["module", *words, *directory, "--json"])
    before = CliRunner().invoke(terminal_app, [*directory, "module", "show", "--json"])
    assert before.exit_code == 0, before.output
    assert ran.exit_code == 0, ran.output
    told: dict[str, int] = json.loads(ran.stdout)
    return told


def test_a_blocked_module_gets_its_new_pin_kept_with_the_tills_keys(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text("secret\n")
    (tmp_path / "new").write_text("another-pin\n")
    monkeypatch.setenv("BORSELLINO_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    stall = Stall.opened(town)
    letter = json.loads(letter_path(stall.image).read_text())
    (tmp_path / "puk").write_text(letter["puk"])
    slot = ModuleSlot(image=str(stall.image))
    public = TillKeys.read(stall.shop.directory / "keys.sealed", "secret").public_key
    for _ in range(5):
        with pytest.raises(ModuleRefusedError):
            CardModule(slot.connect, "wrong-pin", public).check_pin()
    with pytest.raises(ModuleRefusedError, match="MODULE_BLOCKED"):
        stall.sell(1_00)
    files = ("--puk-file", str(tmp_path / "puk"), "--pin-file", str(tmp_path / "new"))
    module_command(stall, "unblock", *files)
    assert stall.sell(1_00) is State.CLOSED


def test_a_new_key_set_reaches_a_module_card_as_any_till(town: Town) -> None:
    stall = Stall.opened(town)
    office = town.hall.backend.key_sets
    assert office.announce(people.ISSUER, "anna") == 2
    stall.synchronise()
    (status,) = office.status(people.ISSUER)
    assert stall.shop.terminal() in status.holding
    assert sorted(number for _, number in stall.module.masters) == [1, 2]
    assert stall.sell(1_00) is State.CLOSED


def test_the_module_may_be_plugged_in_elsewhere(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text("secret\n")
    monkeypatch.setenv("BORSELLINO_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    stall, story = Stall.opened(town), town.story
    elsewhere = stall.image.rename(tmp_path / "elsewhere")
    (tmp_path / "pin").write_text(story.pin(MARIA))
    sale = [
        "pay", "--dir", str(stall.shop.directory), "--amount", "2,50", "--category", "food",
        "--yes", "--json", "--card", str(story.image(MARIA)),
        "--pin-file", str(tmp_path / "pin"),
    ]  # fmt: skip
    missing = CliRunner().invoke(terminal_app, sale)
    assert (missing.exit_code, json.loads(missing.stdout)["code"]) == (
        1, "CARD_IMAGE_UNREADABLE",
    )  # fmt: skip
    paid = CliRunner().invoke(terminal_app, [*sale, "--module-card", str(elsewhere)])
    assert paid.exit_code == 0, paid.output
    assert ModuleCard.load(elsewhere, stall.shop.randomness).memory.cents == 2_50


def test_the_keys_of_a_till_are_those_on_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text("secret\n")
    monkeypatch.setenv("BORSELLINO_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    image, pin = tmp_path / "module.card", tmp_path / "pin"
    pin.write_text(PIN + "\n")
    made = CliRunner().invoke(sim_app, ["new-module", str(image), "--pin-file", str(pin), "--json"])
    assert made.exit_code == 0, made.output
    words = [
        "keys", "--url", "http://127.0.0.1:1", "--dir", str(tmp_path / "till"), "--json",
        "--module-card", str(image), "--module-pin-file",
    ]  # fmt: skip
    bound = CliRunner().invoke(sync_app, [*words, str(pin)])
    assert json.loads(bound.stdout)["fingerprint"] == json.loads(made.stdout)["fingerprint"]
    pin.write_text("wrong-pin\n")
    refused = CliRunner().invoke(sync_app, [*words, str(pin)])
    assert json.loads(refused.stdout)["code"] == "MODULE_PIN_WRONG"
