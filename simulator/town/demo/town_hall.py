"""The town hall: the municipality's people, and the backend that serves the tills."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from backend.adapters.pain001 import Debtor
from backend.api.app import create_app
from backend.composition import open_backend
from backend.config import Settings
from backend.domain.settlement import Period
from backend.services.administration.programmes import NewProgramme
from backend.services.settlement.batches import PaymentOrder
from backend.services.settlement.outcomes import ImportReport, OutcomeService
from cardlib.calendar import day_at
from cardlib.ports import Clock, Randomness
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.card.personal import training_ca_certificate
from simulator.errors import SimulatorError
from simulator.town.demo import people

Around = Callable[[ASGIApp], ASGIApp]
_HOST = "127.0.0.1"
_START_S, _POLL_S = 20.0, 0.02


def _nothing_around(app: ASGIApp) -> ASGIApp:
    return app


class TownHall:
    """An installation in ``directory``, open inside the block, and who acts there."""

    def __init__(
        self, directory: Path, passphrase: str, clock: Clock, randomness: Randomness
    ) -> None:
        self.settings = Settings(directory, passphrase)
        self.clock = clock
        self._randomness = randomness
        self._programme = 0
        self._town = 0

    def __enter__(self) -> Self:
        self._resources = ExitStack()
        self.backend = self._resources.enter_context(
            open_backend(
                self.settings, self.clock, self._randomness,
                create=True, authorities=(training_ca_certificate(),),
            )
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def open_books(self) -> None:
        """Operator, municipality with keys, programme, funding."""
        office, today = self.backend.programmes, day_at(self.clock.unix_ms() // 1000)
        office.set_up(people.OPERATOR)
        self._town = office.create_municipality(people.ISSUER, people.TOWN)
        for bit, name_it, name_en in people.CATEGORIES:
            office.name_category(bit, name_it, name_en)
        bits = tuple(bit for bit, _, _ in people.CATEGORIES)
        self._programme = office.create_programme(
            people.ISSUER,
            NewProgramme(
                people.PROGRAMME, people.PROGRAMME_NAME, bits, _first_of(today),
                today + timedelta(days=180), day_limit_eur=150,
            ),
        )  # fmt: skip
        office.fund(
            self._programme, people.FUNDING_SOURCE, people.FUNDED,
            act="Delibera 12/2026", by=people.ACCOUNTANT,
        )  # fmt: skip

    @property
    def operator_fingerprint(self) -> str:
        """What the operator reads out to a shop that enrols."""
        return self.backend.keys.operator_key().public.fingerprint

    def register(self, merchant: people.Merchant) -> int:
        """A merchant who may take the programme's vouchers."""
        number = self.backend.merchants.register(merchant.name, merchant.iban)
        self.backend.merchants.enable(number, self._programme)
        return number

    def enrolment_code(self, merchant: int, fingerprint: str) -> str:
        """A one-time code for the key that was read out."""
        return self.backend.enrolment.issue_code(merchant, fingerprint)

    def take_stock(self, stock_file: Path) -> str:
        """Imports a stock card's transport keys; its serial."""
        return self.backend.loads.import_stock(people.ISSUER, stock_file.read_text("utf-8"))

    def award(self, holder: str, amount: Money, act: str) -> int:
        """An award, asked for by one person and approved by another."""
        return self.backend.programmes.award(
            self._programme, people.FUNDING_SOURCE, holder, amount,
            act=act, requested_by=people.LOADER, approved_by=people.APPROVER,
        )  # fmt: skip

    def order_load(self, award: int, purse: PurseId, amount: Money) -> int:
        """An approved load order."""
        return self.backend.loads.approve(
            award, purse, amount, requested_by=people.LOADER, approved_by=people.APPROVER
        )

    def settle(self, merchants: list[int], end: int) -> PaymentOrder:
        """One approved batch a merchant, and the payment order for the bank."""
        batches = []
        for merchant in merchants:
            period = Period(1, end)
            batch = self.backend.settlement.draw_up(self._town, merchant, period, people.ACCOUNTANT)
            self.backend.settlement.approve(batch.id, people.APPROVER)
            batches.append(batch.id)
        return self.backend.settlement.order_payments(
            batches, Debtor(people.TOWN, people.TOWN_IBAN)
        )

    def book_outcomes(self, name: str, content: bytes) -> ImportReport:
        """What the treasurer says became of the payments."""
        service = OutcomeService(self.backend.work, self.clock)
        return service.import_file(name, content, people.ACCOUNTANT)

    def pin_of(self, purse: PurseId) -> str:
        """The PIN, out of the letter that the holder opens."""
        letter = json.loads((self.settings.letters / f"{purse}.json").read_text("ascii"))
        return str(letter["pin"])

    @contextmanager
    def serve(self, port: int = 0, around: Around = _nothing_around) -> Generator[str]:
        """Answers tills over HTTP on loopback while the block runs; the base address.

        ``around`` puts a fault between the service and the line.
        """
        app = around(create_app(self.backend))
        config = uvicorn.Config(app, host=_HOST, port=port, log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name="backend", daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{self._port(server)}"
        finally:
            server.should_exit = True
            thread.join()

    def _port(self, server: uvicorn.Server) -> int:
        """The port, once the server listens; SimulatorError when it does not."""
        for _ in range(int(_START_S / _POLL_S)):
            if server.started:
                return int(server.servers[0].sockets[0].getsockname()[1])
            self.clock.sleep(_POLL_S)
        raise SimulatorError("BACKEND_NOT_UP")


def _first_of(day: date) -> date:
    return day.replace(day=1)
