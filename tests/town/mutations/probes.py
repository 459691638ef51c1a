"""Who comes where a limit is: a wallet that has ended, a reported card, a till offline for long.

Watchers like the adversaries, who gain nothing and harm nobody while the product is right.
"""

from dataclasses import replace
from datetime import date
from typing import ClassVar

from backend.services.administration.programmes import NewProgramme
from backend.services.settlement.outcomes import OutcomeService
from cardlib.calendar import day_at, day_end
from cardlib.codec.commands import select_purse, verify_pin
from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES
from cardlib.codec.pin import Pin
from cardlib.codec.status import Status
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.official import ACCOUNTANT, APPROVER, ISSUER, LOADER, SOURCE
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation, Tally
from simulator.town.adversaries.books_attack import balances
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import (
    PRICE,
    Scene,
    TillAttack,
    can_buy,
    other_registers,
)
from simulator.town.deeds import DEEDS
from simulator.town.plan.model import FOOD, Happening, Kind
from simulator.town.state import Town

SHORT, SHORT_CENTS = 90, 40_000
_NIGHT_WORK = "SELECT count(*) FROM transfer WHERE kind = 'expired' AND booked_at < ?"
CLAIM_WINDOW_S = 15 * 86_400
"""Of a town, if it sets no other."""
_FILES = "SELECT id, content FROM outcome_file WHERE id > ? ORDER BY id"
_GUESSES = 5
_LATER_MS = 600_000
_FAR_S = 30 * 86_400


def _stopped(source: str) -> Expectation:
    return Expectation(source=source, claim=Claim.STOPPED)


class ShortLived(TillAttack):
    """Somebody whose voucher ends tonight, and who goes on buying; its rest is due for weeks."""

    name: ClassVar[str] = "short lived"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 2, 7")
    tries, eagerness = 1, 1.0

    def __init__(self) -> None:
        super().__init__()
        self._purse: PurseId | None = None
        self._slot, self._last_day, self._seen = 0, 1, 0

    def strike(self, scene: Scene) -> None:
        """A programme of one day, and a load of it."""
        town, citizen, backend = scene.town, scene.citizen, scene.town.hall.backend
        today = day_at(town.time.now_s)
        new = NewProgramme(SHORT, "Buono breve", (FOOD,), today, today)
        programme = backend.programmes.create_programme(ISSUER, new)
        backend.programmes.fund(programme, SOURCE, Money(SHORT_CENTS), act="x", by=ACCOUNTANT)
        for merchant in town.founding.merchants.values():
            backend.merchants.enable(merchant, programme)
        assert citizen.purse is not None
        people = {"requested_by": LOADER, "approved_by": APPROVER}
        award = backend.programmes.award(
            programme, SOURCE, citizen.person.key, Money(SHORT_CENTS), act="x", **people
        )
        backend.loads.approve(award, citizen.purse, Money(SHORT_CENTS), **people)
        town.truth.ordered[citizen.purse] += SHORT_CENTS
        town.truth.ordered_slots[citizen.purse, SHORT] += SHORT_CENTS
        citizen.waiting += 1
        _at_the_desk(scene, Kind.COLLECT)
        grants = OpenedCard(town, citizen).grants
        self._slot = next((at for at, one in grants.items() if one.grant.programme == SHORT), 0)
        self._purse, self._last_day = citizen.purse, today.toordinal()

    def follow(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        """What the ended wallet still pays."""
        new, self._seen = town.truth.deliveries[self._seen :], len(town.truth.deliveries)
        for given in new:
            late = day_at(given.at_ms // 1000).toordinal() > self._last_day
            if given.purse == self._purse and late:
                self.tally.gain += sum(cents for slot, cents in given.slots if slot == self._slot)

    def at_end(self, town: Town) -> None:
        """What shops may still tell of is not given up."""
        window_ends = day_end(date.fromordinal(self._last_day)) + CLAIM_WINDOW_S
        with town.engine.connect() as books:
            if books.exec_driver_sql(_NIGHT_WORK, (window_ends,)).scalar_one():
                self.tally.overdue.append("a rest was given up within the claim window")


class Reported(TillAttack):
    """A card is reported lost, a till hears of it, and whoever has found the card comes."""

    name: ClassVar[str] = "reported"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 6 (hotlist), 7")

    def strike(self, scene: Scene) -> None:
        """Then it is the holder who has found it."""
        assert scene.citizen.purse is not None
        blocked = scene.town.desk_work.block(scene.citizen.purse)
        if not blocked or not _heard(scene.register):
            self.tally.attempts -= 1
        else:
            self.tally.gain += self.buy(scene, scene.citizen.line())
        scene.town.desk_work.unblock(scene.citizen.purse)
        _heard(scene.register)


class OldState(TillAttack):
    """A chip goes back to an earlier state, at a till that has heard of the later one."""

    name: ClassVar[str] = "old state"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 6 (watermarks); ADR 21")

    def __init__(self) -> None:
        super().__init__()
        self._due: tuple[Scene, list[list[bytes]], int] | None = None

    def strike(self, scene: Scene) -> None:
        """Keeps the state, buys, and sees to it that the shop tells of it."""
        kept = _state(scene.citizen)
        if self._due or not self.buy(scene, scene.citizen.line()) or not _heard(scene.register):
            self.tally.attempts -= 1
            return
        self._due = scene, kept, scene.town.time.now_ms + _LATER_MS

    def follow(self, town: Town, happening: Happening) -> None:
        """Some time later another till has heard of it."""
        if self._due is None or town.time.now_ms < self._due[2]:
            return
        scene, kept, _ = self._due
        others = list(other_registers(town, scene.register))
        if not others or not can_buy(town, scene.citizen, PRICE) or not _heard(others[0]):
            return
        self._due, now = None, _state(scene.citizen)
        _put(scene.citizen, kept)
        again = replace(scene.happening, id=f"{happening.id}+{self.name}", at_ms=happening.at_ms)
        later = Scene(town, others[0], scene.citizen, again)
        self.tally.gain += self.buy(later, scene.citizen.line())
        _put(scene.citizen, now)


class Guesser(TillAttack):
    """A card in a stranger's reader: wrong PINs, one after the other, until the right one."""

    name: ClassVar[str] = "guesser"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 2 (three tries)")
    tries: ClassVar[int] = 1

    def strike(self, scene: Scene) -> None:
        """The last guess is right; then the desk has to set a new PIN."""
        line, right = scene.citizen.line(), scene.citizen.pin
        line.reset()
        line.transmit(bytes(select_purse(DF_BUONO_FIRST)))
        wrong = [f"{guess:05}" for guess in range(_GUESSES) if f"{guess:05}" != right]
        answer = b""
        for guess in [*wrong, right or ""]:
            answer = line.transmit(bytes(verify_pin(Pin(guess))))
        if answer[-2:] == Status.OK.to_bytes(2, "big"):
            self.tally.gain += OpenedCard(scene.town, scene.citizen).worth
        line.reset()
        scene.citizen.needs_pin = True


class LongOffline(TillAttack):
    """A till that has not heard of the backend for a month."""

    name: ClassVar[str] = "long offline"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 6 (offline guard)")
    tries: ClassVar[int] = 1

    def strike(self, scene: Scene) -> None:
        """Its clock is right again afterwards."""
        _at_another_time(scene.register, _FAR_S)
        self.tally.gain += self.buy(scene, scene.citizen.line())
        _at_another_time(scene.register, -_FAR_S)


class LateOnReplaced(TillAttack):
    """Somebody buys, loses the card, and has a new one before the shop has told of the sale."""

    name: ClassVar[str] = "late on replaced"
    expectation: ClassVar[Expectation] = _stopped("PROTOCOL 7 (reserve)")
    tries: ClassVar[int] = 1

    def strike(self, scene: Scene) -> None:
        """The desk makes a new card in the same hour, and loads what may be loaded."""
        held = OpenedCard(scene.town, scene.citizen).grants.values()
        wanted = any(one.grant.programme == SHORT for one in held)  # by another probe
        if wanted or not self.buy(scene, scene.citizen.line()):
            self.tally.attempts -= 1
            return
        for kind in (Kind.LOSE_CARD, Kind.REPORT_LOSS, Kind.REPLACE_CARD, Kind.COLLECT):
            _at_the_desk(scene, kind)

    def at_end(self, town: Town) -> None:
        """The town has lent nothing."""
        self.tally.gain = -balances(town, "exposure")


class ToldTwice:
    """The bank's file comes a second time, under another name, with an empty line more."""

    name: ClassVar[str] = "told twice"
    expectation: ClassVar[Expectation] = _stopped("DESIGN 2, law 6")

    def __init__(self) -> None:
        self.tally = Tally()
        self._last = 0

    def after(self, town: Town, happening: Happening) -> None:
        """After each evening of the bank."""
        if happening.kind is not Kind.PAY:
            return
        with town.engine.connect() as books:
            found = books.exec_driver_sql(_FILES, (self._last,)).all()
        for number, content in found:
            backend = town.hall.backend
            service = OutcomeService(backend.work, backend.clock)
            report = service.import_file("again.csv", bytes(content) + b"\r\n", ACCOUNTANT)
            self.tally.attempts += 1
            self.tally.gain += sum(one.cents for one in report.new)
            self._last = number + 1

    def at_end(self, town: Town) -> None:
        """Nothing more to count."""


def _at_the_desk(scene: Scene, kind: Kind) -> None:
    DEEDS[kind](scene.town, replace(scene.happening, kind=kind, shop="", till=0))


def _heard(register: Register) -> bool:
    """A round of the till's agent; whether it was a good one."""
    report = register.synchronise()
    return not report.problem


def _at_another_time(register: Register, seconds: int) -> None:
    register.stop()
    register.clock.jump(seconds)
    register.clock.reboot()
    register.open()


def _state(citizen: Citizen) -> list[list[bytes]]:
    found = citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    assert found is not None
    return [list(file.records) for file in found.files]


def _put(citizen: Citizen, state: list[list[bytes]]) -> None:
    found = citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    assert found is not None
    for file, records in zip(found.files, state, strict=True):
        file.records[:] = records
