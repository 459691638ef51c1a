"""``terminal pay`` and ``terminal journal`` as commands, on an enrolled till and a card's image."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox
from typer.testing import CliRunner

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import AuthenticityError, CardlibError, PinPadError
from cardlib.system import SystemClock
from cardlib.wire.enrolment import (
    Certificate,
    DebitMaster,
    EnrolmentAnswer,
    EnrolmentRequest,
    ModuleKeys,
)
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.money import Money
from simulator.card import image
from simulator.faults import ResetBefore, Shim, TearAfter, TearBefore, nth
from terminal.cli import app
from terminal.errors import TillError
from terminal.pay import Order, Paid, pay
from terminal.recovery.flow import Settled
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Item, Offer
from terminal.sale.states import Step
from terminal.till import Till
from terminal.till_enrolment import enrol, prepare
from terminal.till_files import TillConfig
from tests.integration.terminal.stage import (
    FOOD,
    HYGIENE,
    ISSUER,
    KEY_SET,
    PIN,
    Customer,
    Stage,
    WalletSpec,
    assert_books,
    codes,
)
from tests.integration.terminal.test_sale import refused

PASSPHRASE = "una frase lunga"
UPDATE = 0xDC


@dataclass
class Enrolled:
    directory: Path
    environment: dict[str, str]


def answer_to(stage: Stage, request: EnrolmentRequest, issued_at: int) -> EnrolmentAnswer:
    """What the backend answers."""
    certificate = Certificate(
        terminal=TerminalNumber(77), public_key=request.public_key, merchant=31,
        merchant_name="Alimentari Rossi", operator="Comune di Prova", issued_at=issued_at,
    )  # fmt: skip
    keys = ModuleKeys((DebitMaster(ISSUER, KEY_SET, stage.masters.debit),))
    return EnrolmentAnswer(
        stage.operator.public, certificate.sign(stage.operator),
        bytes(SealedBox(BoxKey(request.box_key)).encrypt(keys.encode())),
        stage.bundle.sign(stage.operator),
    )  # fmt: skip


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Enrolled:
    """A till enrolled for real, keys sealed under a passphrase; shared by the tests here."""
    folder = tmp_path_factory.mktemp("shop")
    stage = Stage(folder)
    directory = folder / "till"
    config = TillConfig("http://127.0.0.1:1", language="en")
    keys = prepare(directory, PASSPHRASE, config, stage.randomness)
    request = EnrolmentRequest.open(keys.request("1234-5678"))
    now = SystemClock().unix_ms() // 1000
    enrol(directory, PASSPHRASE, answer_to(stage, request, now), stage.randomness)
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    (folder / "pin").write_text(PIN + "\n")
    return Enrolled(directory, {"BORSELLINO_PASSPHRASE_FILE": str(secret), "LANG": "en"})


def run(enrolled: Enrolled, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app, [*arguments, "--dir", str(enrolled.directory)], env=enrolled.environment
    )
    return result.exit_code, result.stdout, result.stderr


def test_pay_and_journal_from_the_command_line(enrolled: Enrolled, stage: Stage) -> None:
    card = stage.card(WalletSpec(valid_to=date(2099, 12, 31)), expiry=date(2099, 12, 31))
    path = stage.folder / "card.img"
    path.write_bytes(image.encode(card.card.memory))
    common = ("--card", str(path), "--pin-file", str(enrolled.directory.parent / "pin"), "--yes")

    status, out, _ = run(
        enrolled, "pay", "--amount", "12,50", "--category", "food", "--json", *common
    )
    told = json.loads(out)
    assert status == 0
    assert (told["total_cents"], told["commands"], told["bytes"]) == (12_50, 10, 438)
    assert (told["wallets"][0]["before_cents"], told["wallets"][0]["after_cents"]) == (10000, 8750)
    assert (told["proven"], told["terminal"], told["receipt"]) == (True, 77, 1)

    status, out, _ = run(enrolled, "pay", "--amount", "2.50", "--category", "0", *common)
    assert status == 0
    assert "87.50 EUR before, 85.00 EUR after" in out
    assert "Receipt no. 2" in out
    assert "Debiting the card" in out

    status, out, err = run(enrolled, "pay", "--amount", "900", "--category", "food", *common)
    assert (status, err.split(":")[0]) == (1, "BALANCE_TOO_LOW")
    status, out, _ = run(enrolled, "pay", "--amount", "1", "--category", "wine", "--json", *common)
    assert (status, json.loads(out)["code"]) == (1, "CATEGORY_UNKNOWN")
    assert run(enrolled, "pay", "--amount", "1", *common)[0] == 2
    food = ("--amount", "1", "--category", "food")
    status, out, _ = run(enrolled, "pay", *food, "--issuer", "058091", "--json", *common)
    assert (status, json.loads(out)["code"]) == (1, "PURSE_NOT_OF_TOWN")
    assert run(enrolled, "pay", *food, "--issuer", "Milano", *common)[0] == 2

    status, out, _ = run(enrolled, "pay", "--void", *common)
    assert status == 0
    assert "Void no. 3" in out

    status, out, _ = run(enrolled, "journal", "check")
    assert (status, "7 entries" in out) == (0, True)
    status, out, _ = run(enrolled, "journal", "--lang", "it")
    assert status == 0
    assert "vendita" in out
    status, out, _ = run(enrolled, "journal", "show", "2", "--json")
    assert json.loads(out)["type"] == "intent"
    assert run(enrolled, "journal", "show", "999")[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dir", "{}", "journal", "check"),
        ("journal", "--dir", "{}", "check"),
        ("journal", "--dir", "{}"),
        ("--dir", "/nowhere", "journal", "check", "--dir", "{}"),
    ],
)
def test_the_directory_may_be_named_anywhere(
    enrolled: Enrolled, arguments: tuple[str, ...]
) -> None:
    named = [word.format(enrolled.directory) for word in arguments]
    result = CliRunner().invoke(app, named, env=enrolled.environment)
    assert result.exit_code == 0, result.stderr


def test_a_wrong_passphrase_opens_nothing(enrolled: Enrolled) -> None:
    wrong = enrolled.directory.parent / "wrong"
    wrong.write_text("qualcos'altro")
    other = Enrolled(enrolled.directory, {"BORSELLINO_PASSPHRASE_FILE": str(wrong), "LANG": "it"})
    status, _, err = run(other, "journal", "check")
    assert (status, err.split(":")[0]) == (1, "PASSPHRASE_WRONG")


def test_a_till_that_is_not_there_is_named(enrolled: Enrolled, tmp_path: Path) -> None:
    status, _, err = run(Enrolled(tmp_path, enrolled.environment), "journal", "check")
    assert (status, err.split(":")[0]) == (1, "TILL_MISSING")


def test_an_enrolled_till_is_not_prepared_again(enrolled: Enrolled, stage: Stage) -> None:
    with pytest.raises(TillError) as caught:
        prepare(enrolled.directory, PASSPHRASE, TillConfig(""), stage.randomness)
    assert caught.value.code == "TILL_EXISTS"


def test_an_answer_for_another_till_installs_nothing(stage: Stage) -> None:
    one, two = stage.folder / "one", stage.folder / "two"
    prepare(one, PASSPHRASE, TillConfig(""), stage.randomness)
    keys = prepare(two, PASSPHRASE, TillConfig(""), stage.randomness)
    answer = answer_to(stage, EnrolmentRequest.open(keys.request("x")), 0)
    with pytest.raises(AuthenticityError) as caught:
        enrol(one, PASSPHRASE, answer, stage.randomness)
    assert caught.value.code == "CERTIFICATE_OTHER"
    with pytest.raises(TillError) as missing:
        Till.load(one, PASSPHRASE, stage.clock, stage.randomness)
    assert missing.value.code == "TILL_NOT_ENROLLED"


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    TillConfig("http://town.example", cashier='"2"').write(path)
    assert TillConfig.read(path) == TillConfig("http://town.example", cashier='"2"')
    path.write_text("backend_url = 3\nsurprise = 1")
    with pytest.raises(TillError) as caught:
        TillConfig.read(path)
    assert caught.value.code == "TILL_CONFIG"


# the flow itself, with accidents ---------------------------------------------------------------


class Script:
    """A cashier and a customer who do what the test wrote down."""

    def __init__(self, *pins: str, agrees: bool = True, interactive: bool = True) -> None:
        self.pins = list(pins) or [PIN]
        self.agrees = agrees
        self.interactive = interactive
        self.keypad = True
        self.told: list[str] = []

    def card(self, shown: CardShown) -> None:
        self.told.append(f"{len(shown.wallets)} wallets")

    def agree(self, offer: Offer) -> bool:
        self.told.append(f"agree {offer.total}")
        return self.agrees

    def pin(self) -> Pin:
        return Pin(self.pins.pop(0) if len(self.pins) > 1 else self.pins[0])

    def pad_failed(self, error: PinPadError) -> bool:
        raise error

    def step(self, step: Step) -> None:
        self.told.append(step.value)

    def settled(self, found: Settled) -> None:
        self.told.append(found.conclusion.code)

    def trouble(self, error: CardlibError) -> None:
        self.told.append(error.code)


def food(cents: int) -> Order:
    return Order((Item(FOOD, Money(cents)),))


def order(shop: Customer, script: Script, cents: int = 5_00) -> Paid:
    return pay(shop.counter, shop.card, food(cents), script)


def test_a_wrong_pin_is_asked_again_for_the_same_order(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    script = Script("99999", PIN)
    assert order(Customer(till, card.plug()), script).result.goods_are_due
    assert script.told.count("agree 5.00 EUR") == 1
    assert "PIN_WRONG" in script.told
    assert_books(card, till)


class SwappedAtReset(Shim):
    """Another card takes the first one's place just before the reader resets it."""

    def __init__(self, inner: CardConnection, other: CardConnection) -> None:
        super().__init__(inner)
        self._other = other

    def reset(self) -> None:
        self.inner = self._other
        self.inner.reset()


def test_after_a_wrong_pin_no_other_card_pays_the_order(stage: Stage) -> None:
    card, other, till = stage.card(), stage.card(number=2), stage.till()
    script = Script("99999", PIN)
    shop = Customer(till, SwappedAtReset(card.plug(), other.plug()))
    assert refused(lambda: order(shop, script)).code == "CARD_CHANGED"
    assert codes(till) == []
    assert card.newest().spent[0] == other.newest().spent[0] == 0


def test_a_customer_who_says_no_pays_nothing(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    assert refused(lambda: order(shop, Script(agrees=False))).code == "SALE_DECLINED"
    assert codes(till) == []


@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_card_that_does_not_return_leaves_the_case_to_the_next_time(
    stage: Stage, kind: type[TearBefore] | type[TearAfter]
) -> None:
    card, till = stage.card(), stage.till()
    reader = kind(card.plug(), nth(1, UPDATE))
    shop = Customer(till, reader)
    assert refused(lambda: order(shop, Script())).code == "SALE_UNKNOWN"
    reader.reinsert()
    script = Script()
    assert order(shop, script, 1_00).result.goods_are_due
    assert {"RECOVERY_COMMITTED", "RECOVERY_NOT_APPLIED"} & set(script.told)
    assert_books(card, till)


def test_a_reset_during_the_debit_is_retried_with_the_same_bytes(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, ResetBefore(card.plug(), nth(1, UPDATE)))
    paid = order(shop, Script())
    assert paid.result.goods_are_due
    assert codes(till) == ["grant_seen", "intent", "sale"]
    assert_books(card, till)


def test_another_customer_waits_or_the_case_is_parked(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    assert refused(lambda: order(Customer(till, reader), Script())).code == "SALE_UNKNOWN"
    other_card = stage.card(number=2)
    other = Customer(till, other_card.plug())
    assert refused(lambda: order(other, Script())).code == "RECOVERY_WRONG_CARD"
    parking = Order((Item(FOOD, Money(1_00)),), park=True)
    assert pay(other.counter, other.card, parking, Script()).result.goods_are_due
    assert_books(card, till)
    assert_books(other_card, till)


def test_the_rest_is_paid_otherwise_only_when_agreed(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    both = (Item(FOOD, Money(90_00)), Item(HYGIENE, Money(3_00)))
    assert refused(lambda: pay(shop.counter, shop.card, Order(both), Script())).code == (
        "CATEGORY_NOT_ON_WALLET"
    )
    paid = pay(shop.counter, shop.card, Order(both, rest_otherwise=True), Script())
    assert paid.receipt.other == Money(3_00)
