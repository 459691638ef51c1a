"""The demo's story: a small town in one go, from the first fund to balanced books.

Each scene is one method; what it leaves behind lies in the demo's directory::

    DIR/passphrase     opens this demo's keys; a real town never keeps it beside them
    DIR/backend/       database and key store
    DIR/till-*/        one directory a till: keys, journal, bundle
    DIR/cards/         images of the virtual cards
    DIR/payments/      payment order and outcome file
    DIR/export/        what the verifier reads
"""

import csv
import io
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cardlib.calendar import day_at
from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.ports import Clock, Randomness
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator import stock
from simulator.card import image
from simulator.card.masks import CRS_STINCARD, make_card, random_transport_keys
from simulator.card.store import FileStore
from simulator.errors import SimulatorError
from simulator.faults import TearAfter, nth
from simulator.town.demo import people
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.people import CHEMIST, FOOD, GROCER, HYGIENE, MARIA, MEDICINES, PAOLO
from simulator.town.demo.readers import Reader, Wrap, untouched
from simulator.town.demo.shop import Shop
from simulator.town.demo.town_hall import TownHall
from terminal.sale.states import State

DESK = people.Merchant("desk", f"Sportello, {people.TOWN}", people.TOWN_IBAN)


@dataclass(slots=True)
class Story:
    """Everything the scenes share."""

    directory: Path
    passphrase: str
    clock: Clock
    randomness: Randomness
    reader: Reader
    narrator: Narrator
    hall: TownHall
    shops: dict[str, Shop] = field(default_factory=dict)
    merchants: dict[str, int] = field(default_factory=dict)
    purses: dict[str, PurseId] = field(default_factory=dict)
    awards: dict[str, int] = field(default_factory=dict)

    def tell(self) -> None:
        """All scenes in order; raises what goes wrong, for nothing here may."""
        with ExitStack() as online:
            url = online.enter_context(self.hall.serve())
            self.open_books()
            self.enrol_shops(url)
            self.issue_cards()
            self.load_cards()
            self.sell_online()
        self.sell_offline()
        with self.hall.serve(_port(url)):
            self.narrator.scene("scene_sync")
            self.synchronise()
            self.top_up()
            self.settle()

    # the town hall --------------------------------------------------------------------------

    def open_books(self) -> None:
        """The town's books, a programme, its money."""
        self.narrator.scene("scene_town_hall", town=people.TOWN)
        self.hall.open_books()
        self.narrator.say("funded", amount=people.FUNDED, source=people.FUNDING_SOURCE)

    def enrol_shops(self, url: str) -> None:
        """The desk and two shops, each with a till."""
        self.narrator.scene("scene_shops")
        for merchant in (DESK, GROCER, CHEMIST):
            number = self.hall.register(merchant)
            shop = Shop(
                self.directory / f"till-{merchant.key}", self.passphrase, self.clock,
                self.randomness,
            )  # fmt: skip
            code = self.hall.enrolment_code(number, shop.prepare(url))
            terminal = shop.enrol(code, self.hall.operator_fingerprint)
            self.shops[merchant.key], self.merchants[merchant.key] = shop, number
            self.narrator.say("enrolled", merchant=merchant.name, terminal=terminal)

    def issue_cards(self) -> None:
        """Two cards from the factory, personalised."""
        self.narrator.scene("scene_cards")
        for person in (MARIA, PAOLO):
            serial = self._factory_card(person)
            done = self.session(DESK, person, SessionOpening("personalise", serial))
            self.purses[person.key] = PurseId.parse(done.purse)
            kind = "card_crs" if person.mask == CRS_STINCARD else "card_white"
            self.narrator.say(kind, holder=_name(person), purse=done.purse)

    def _factory_card(self, person: people.Beneficiary) -> str:
        path = self.image(person)
        path.parent.mkdir(exist_ok=True)
        keys = random_transport_keys(self.randomness)
        memory = make_card(person.mask, self.randomness, person.holder, keys)
        stock_file = stock.stock_path(path)
        stock.write_stock(stock_file, memory, person.suite, training=False)
        FileStore(path).save(image.encode(memory))
        return self.hall.take_stock(stock_file)

    def load_cards(self) -> None:
        """Awards, load orders, value on both cards."""
        self.narrator.scene("scene_loads")
        for person in (MARIA, PAOLO):
            award = self.hall.award(person.key, person.award + person.award, "Determina 45/2026")
            self.awards[person.key] = award
            self.hall.order_load(award, self.purses[person.key], person.award)
            done = self.session(DESK, person, SessionOpening("load", ""))
            self._say_loaded(person, done)

    def _say_loaded(self, person: people.Beneficiary, done: SessionCommands) -> None:
        amount, trips = Money(done.cents), done.step - 1
        self.narrator.say("loaded", amount=amount, holder=_name(person), steps=trips)

    # the shops ------------------------------------------------------------------------------

    def sell_online(self) -> None:
        """A sale that reaches the backend at once."""
        self.narrator.scene("scene_online", merchant=GROCER.name)
        receipt = self._sell(GROCER, MARIA, [(FOOD, Money(1_250)), (HYGIENE, Money(320))])
        self.narrator.block(receipt)
        self._report(GROCER)

    def sell_offline(self) -> None:
        """Sales, a void and a torn card while nobody answers."""
        self.narrator.scene("scene_offline")
        self._sell(CHEMIST, PAOLO, [(MEDICINES, Money(890))])
        self._sell(GROCER, MARIA, [(FOOD, Money(2_000))])
        self._sell(GROCER, PAOLO, [(FOOD, Money(400))])
        self._void(GROCER, PAOLO)
        self._tear_and_recover()
        for merchant in (GROCER, CHEMIST):
            waiting = self.shops[merchant.key].entries_here()
            self.narrator.say("waiting", merchant=merchant.name, count=waiting)

    def _tear_and_recover(self) -> None:
        shop, amount = self.shops[CHEMIST.key], Money(640)
        pull = partial(TearAfter, when=nth(1, ins=INS_UPDATE_RECORD))
        with self.reader.insert(self.image(MARIA), pull) as card:
            result, _ = shop.sell(card, self.pin(MARIA), [(MEDICINES, amount)])
        if result.state is not State.UNKNOWN:
            raise SimulatorError("DEMO_UNEXPECTED", what=result.state.value)
        self.narrator.say("torn", merchant=CHEMIST.name, holder=_name(MARIA), amount=amount)
        with self.reader.insert(self.image(MARIA)) as card:
            settled = shop.recover(card)
        verdicts = ", ".join(str(item.conclusion.verdict) for item in settled)
        self.narrator.say("recovered", holder=_name(MARIA), verdict=verdicts)

    def _sell(
        self, merchant: people.Merchant, person: people.Beneficiary,
        items: list[tuple[int, Money]],
    ) -> str:  # fmt: skip
        with self.reader.insert(self.image(person)) as card:
            result, receipt = self.shops[merchant.key].sell(card, self.pin(person), items)
        if not result.goods_are_due:
            raise SimulatorError("DEMO_UNEXPECTED", what=result.state.value)
        total = sum((amount for _, amount in items), Money(0))
        self.narrator.say("sold", merchant=merchant.name, holder=_name(person), amount=total)
        return receipt(self.narrator.lang)

    def _void(self, merchant: people.Merchant, person: people.Beneficiary) -> None:
        with self.reader.insert(self.image(person)) as card:
            self.shops[merchant.key].void_last(card, self.pin(person))
        self.narrator.say("voided", merchant=merchant.name, holder=_name(person))

    # back online ----------------------------------------------------------------------------

    def synchronise(self) -> None:
        """Every shop uploads what it has."""
        for merchant in (GROCER, CHEMIST):
            self._report(merchant)

    def _report(self, merchant: people.Merchant) -> None:
        report = self.shops[merchant.key].synchronise()
        if report.problem or report.pending or report.quarantined:
            raise SimulatorError("DEMO_UNEXPECTED", what=str(report))
        self.narrator.say("synchronised", merchant=merchant.name, count=report.sent)

    def top_up(self) -> None:
        """A load that waits, collected at a till."""
        amount = Money(3_000)
        self.narrator.scene("scene_top_up", merchant=GROCER.name)
        self.hall.order_load(self.awards[MARIA.key], self.purses[MARIA.key], amount)
        done = self.session(GROCER, MARIA, SessionOpening("load", ""))
        self._say_loaded(MARIA, done)
        self._sell(GROCER, MARIA, [(FOOD, Money(1_999))])

    def settle(self) -> None:
        """The period is paid."""
        self.narrator.scene("scene_settlement")
        end = self.clock.unix_ms() // 1000 + 1
        self.clock.sleep(2)
        self.synchronise()
        order = self.hall.settle([self.merchants[GROCER.key], self.merchants[CHEMIST.key]], end)
        folder = self.directory / "payments"
        folder.mkdir(exist_ok=True)
        (folder / "pain001.xml").write_bytes(order.content)
        self.narrator.say("ordered", amount=Money(order.total_cents), count=len(order.batches))
        outcomes = _outcomes(order.content, day_at(end).isoformat())
        (folder / "outcomes.csv").write_bytes(outcomes)
        report = self.hall.book_outcomes("outcomes.csv", outcomes)
        if not report.accepted:
            raise SimulatorError("DEMO_UNEXPECTED", what=str(report.faults))
        self.narrator.say("paid", count=len(report.new))

    # ----------------------------------------------------------------------------------------

    def session(
        self, station: people.Merchant, person: people.Beneficiary, opening: SessionOpening,
        wrap: Wrap = untouched,
    ) -> SessionCommands:  # fmt: skip
        """A card session at a station; SimulatorError with its outcome unless it was done."""
        with self.reader.insert(self.image(person), wrap) as card:
            done = self.shops[station.key].collect(card, opening)
        if done.outcome not in ("PURSE_MADE", "LOAD_DONE"):
            raise SimulatorError(done.outcome)
        return done

    def image(self, person: people.Beneficiary) -> Path:
        """Where the card of a person lies."""
        return self.directory / "cards" / f"{person.key}.json"

    def pin(self, person: people.Beneficiary) -> str:
        """What the holder types."""
        return self.hall.pin_of(self.purses[person.key])


def _name(person: people.Beneficiary) -> str:
    return f"{person.holder.name.title()} {person.holder.surname.title()}"


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def _outcomes(pain001: bytes, day: str) -> bytes:
    """The treasurer's answer: every payment of the order was executed."""
    space = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["id_pagamento", "importo", "stato", "data", "motivo"])
    for transfer in ET.fromstring(pain001).iterfind(".//p:CdtTrfTxInf", space):  # noqa: S314
        name = transfer.findtext("p:PmtId/p:EndToEndId", "", space)
        amount = transfer.findtext("p:Amt/p:InstdAmt", "", space).replace(".", ",")
        writer.writerow([name, amount, "pagato", day, ""])
    return text.getvalue().encode()
