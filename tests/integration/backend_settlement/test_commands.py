"""``borsellino backend settlement``, from the draft to the outcome."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backend.adapters.key_store import MemoryKeyStore
from backend.adapters.pin_letters import FilePinLetters
from backend.commands.settlement import period_of, settlement_app
from backend.composition import Backend
from simulator.card.randomness import SeededRandomness
from tests.integration.backend_settlement.conftest import DEBTOR, MARCH, Town


class Office:
    """Types commands on the town's installation."""

    def __init__(self, town: Town, folder: Path) -> None:
        randomness = SeededRandomness("office")
        backend = Backend(
            work=town.work, keys=MemoryKeyStore(randomness), clock=town.clock,
            randomness=randomness, letters=FilePinLetters(folder),
        )  # fmt: skip

        @contextmanager
        def opened(_directory: Path) -> Generator[Backend]:
            yield backend

        self.app = settlement_app(opened)
        self.order_file = folder / "order.xml"

    def types(self, *arguments: str, lang: str = "en") -> Result:
        return CliRunner().invoke(self.app, [*arguments, "--lang", lang])

    def draws_up(self, *more: str) -> Result:
        return self.types(
            "draw-up", "--merchant", "1", "--from", "2026-03-01", "--to", "2026-03-31",
            "--by", "anna", *more,
        )  # fmt: skip

    def orders(self) -> Result:
        return self.types(
            "order", "1", "--payer", DEBTOR.name, "--iban", DEBTOR.iban,
            "--out", str(self.order_file), "--json",
        )  # fmt: skip


@pytest.fixture
def office(town: Town, tmp_path: Path) -> Office:
    return Office(town, tmp_path)


def test_a_month_is_the_days_of_rome() -> None:
    assert period_of(date(2026, 3, 1), date(2026, 3, 31)) == MARCH


def test_from_the_draft_to_the_outcome(town: Town, office: Office, tmp_path: Path) -> None:
    town.sale(1250)
    town.sale(300, amount_open=True)
    drawn = office.draws_up()
    assert "Batch 1: Alimentari Rossi, 01/03/2026 to 31/03/2026, 12.50 EUR" in drawn.stdout
    assert "Postponed: the same card's operation before it is still missing." in drawn.stdout
    assert office.types("approve", "1", "--by", "bruno").exit_code == 0
    ordered = json.loads(office.orders().stdout)
    assert ordered["total_cents"] == 1250
    first = office.order_file.read_bytes()
    office.orders()
    assert office.order_file.read_bytes() == first
    with town.work.begin() as unit:
        (payment,) = unit.settlement.payments(1)
    outcomes = tmp_path / "esiti.csv"
    outcomes.write_text(
        f"id pagamento;importo;esito;data\n{payment.end_to_end_id};12,50;pagato;02/04/2026\n"
    )
    booked = office.types("outcomes", str(outcomes), "--by", "carla", lang="it")
    assert (booked.exit_code, booked.stdout) == (0, "Esiti registrati: 1; già noti: 0.\n")
    (batch,) = json.loads(office.types("list", "--json").stdout)["batches"]
    assert (batch["state"], batch["total_cents"]) == ("paid", 1250)
    assert "paid" in office.types("show", "1").stdout


def test_refusals_have_a_code_a_sentence_and_exit_1(town: Town, office: Office) -> None:
    refused = office.draws_up()
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, "BATCH_EMPTY")
    town.sale(1250)
    office.draws_up()
    refused = office.types("approve", "1", "--by", "ANNA", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (1, "BATCH_SAME_PERSON")
    refused = office.draws_up("--town", "999999")
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, "TOWN_WHICH")
    assert office.types("turn-down", "1", "--by", "bruno").exit_code == 0
    assert office.types("draw-up", "--merchant", "1").exit_code == 2


def test_each_row_that_keeps_a_file_out_is_told(office: Office, tmp_path: Path) -> None:
    outcomes = tmp_path / "esiti.csv"
    outcomes.write_text("id pagamento;importo;esito;data\nX;1.234;pagato;1/4/2026\n")
    refused = office.types("outcomes", str(outcomes), "--by", "carla", lang="it")
    assert refused.exit_code == 1
    assert refused.stdout.startswith("Riga 2: «1.234» non è un importo")
    assert refused.stderr.startswith("OUTCOME_FILE_REFUSED")


def test_a_review_from_the_band_to_the_approval(town: Town, office: Office) -> None:
    for cents in (1250, 300):
        town.sale(cents)
    assert "No band" in office.types("bands").stdout
    people = ("--act", "DG 7", "--by", "rita", "--approved-by", "bruno")
    assert office.types("band", "0", "--sample", "1000", *people).exit_code == 0
    large = ("band", "100000", "--sample", "1000", "--approvals", "2")
    assert office.types(*large, *people).exit_code == 0
    assert office.types("bands").stdout.splitlines()[1] == (
        "from 1000.00 EUR: sample 1000 in a thousand, approvals 2"
    )
    office.draws_up()
    refused = office.types("approve", "1", "--by", "bruno")
    assert refused.stderr.startswith("REVIEW_WANTED: Batch 1 is of an amount")
    office.types("send", "1", "--by", "anna")
    begun = office.types("review", "1", "--by", "bruno")
    assert begun.stdout.count("to be looked at") == 2
    assert "seed of the sample" in begun.stdout
    held = office.types("hold", "1", "2", "rejected", "--why", "wine", "--by", "bruno")
    assert "Rejected by whoever reviewed it: two people decide. wine looked at by bruno" in (
        held.stdout
    )
    office.types("accept", "1", "--by", "bruno")
    approved = office.types("approve", "1", "--by", "carla", lang="it")
    assert "12,50 EUR, approvata" in approved.stdout
    assert "approvata da: carla" in approved.stdout
