"""The bank: reads payment orders, pays most of them, and says what became of each."""

import csv
import io
import random
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from backend.services.settlement.outcomes import OutcomeService
from cardlib.calendar import day_at
from simulator.errors import TownError
from simulator.town.actors.accountant import Accountant
from simulator.town.actors.official import ACCOUNTANT
from simulator.town.hall import Hall
from simulator.town.truth import Truth

FAILS = 0.15
"""The share of payments that come back: account closed, name and number do not fit."""
_SPACE = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment as the bank reads it."""

    end_to_end_id: str
    iban: str
    cents: int


class Bank:
    """Carries out what the town orders; notes what truly was paid."""

    def __init__(self, hall: Hall, truth: Truth) -> None:
        self._hall = hall
        self._truth = truth
        self._told: tuple[str, bytes] | None = None
        """What became of the newest order, as its file says."""

    def carry_out(self, accountant: Accountant, seed: int, happening: str, *, fails: bool) -> None:
        """Every order that waits; the town hall reads the outcomes in the same evening."""
        rng = random.Random(seed)
        while accountant.orders:
            order = accountant.orders[0]
            if self._told is None or self._told[0] != order.message_id:
                content = self._outcomes(order.content, rng, FAILS if fails else 0.0)
                self._told = order.message_id, content
            content = self._told[1]
            service = OutcomeService(self._hall.backend.work, self._hall.backend.clock)
            report = service.import_file(f"{order.message_id}.csv", content, ACCOUNTANT)
            if not report.accepted:
                raise TownError(
                    "TOWN_GOODS_ASTRAY", law=0, seed=seed,
                    what=f"outcomes refused: {report.faults}", subject=order.message_id,
                    cents=order.total_cents, happening=happening,
                )  # fmt: skip
            accountant.orders.pop(0)

    def _outcomes(self, pain001: bytes, rng: random.Random, share: float) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";")
        writer.writerow(["id_pagamento", "importo", "stato", "data", "motivo"])
        today = day_at(self._hall.backend.clock.unix_ms() // 1000).isoformat()
        for transfer in transfers(pain001):
            failed = rng.random() < share
            if not failed:
                self._truth.paid[transfer.iban] += transfer.cents
            euro = f"{transfer.cents // 100},{transfer.cents % 100:02}"
            state, why = ("respinto", "AC04") if failed else ("pagato", "")
            writer.writerow([transfer.end_to_end_id, euro, state, today, why])
        return text.getvalue().encode()


def transfers(pain001: bytes) -> list[Transfer]:
    """The payments of a ``pain.001.001.09``."""
    found = []
    for item in ET.fromstring(pain001).iterfind(".//p:CdtTrfTxInf", _SPACE):  # noqa: S314
        euro, _, cents = item.findtext("p:Amt/p:InstdAmt", "", _SPACE).partition(".")
        found.append(
            Transfer(
                item.findtext("p:PmtId/p:EndToEndId", "", _SPACE),
                item.findtext("p:CdtrAcct/p:Id/p:IBAN", "", _SPACE),
                int(euro) * 100 + int(cents.ljust(2, "0")),
            )
        )
    return found
