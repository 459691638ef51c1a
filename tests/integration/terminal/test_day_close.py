"""X and Z: what a shop sees at the end of the day, and what its journal says for ever."""

import pytest

from cardlib.wire.batch_close import BatchClose, Count
from cardlib.wire.ids import Seq
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.upload import Acknowledgement
from terminal.day_close import as_object, close_day, render, totals
from terminal.errors import JournalError, SaleRefusedError
from tests.integration.terminal.stage import Customer, Stage
from tests.integration.terminal.test_sale import refused, void

HEAD = LedgerHead(53, bytes.fromhex("9f3a7c210b5ed411") + bytes(24))


def tell_head(stage: Stage, till: object, head: LedgerHead | None) -> None:
    """The backend answers that it holds everything."""
    journal = till.journal  # type: ignore[attr-defined]
    high = journal.views.head()
    answer = Acknowledgement(
        terminal=till.certificate.terminal,  # type: ignore[attr-defined]
        high_seq=high.seq, high_hash=high.hash, server_time=stage.clock.unix_ms() // 1000,
        nonce=1, bundle_version=1, verdicts=(), ledger=head,
    )  # fmt: skip
    journal.acknowledgements.record(answer.sign(stage.operator), answer)


def test_a_close_says_what_was_sold_voided_and_what_waits(stage: Stage) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(10_00)
    tell_head(stage, till, HEAD)
    shop.buy(2_50)
    void(shop)
    before = totals(till, till.journal)
    entry, _ = close_day(till)
    assert entry.body == BatchClose(
        first=Seq(1), last=Seq(entry.header.seq - 1), sales=Count(2, 12_50), voids=Count(1, 2_50),
        waiting=4, unsettled=0, ledger=HEAD,
    )  # fmt: skip
    assert before.close == entry.body
    slip = render(before, till, "it", entry)
    assert "53 9F3A 7C21 0B5E D411" in slip
    assert "10,00" in slip
    assert entry.hash.hex()[:32] in slip
    assert max(map(len, slip.splitlines())) <= 45


def test_the_next_batch_begins_after_the_close(stage: Stage) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(10_00)
    first, _ = close_day(till)
    shop.buy(1_00)
    second, found = close_day(till)
    assert (first.header.batch, second.header.batch) == (1, 2)
    assert as_object(found)["first"] == first.header.seq + 1
    assert found.close.sales == Count(1, 1_00)
    assert totals(till, till.journal).entries == 0
    assert till.journal.check().good


def test_after_the_close_a_sale_is_returned_not_voided(stage: Stage) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(10_00)
    close_day(till)
    with pytest.raises(SaleRefusedError) as caught:
        void(shop)
    assert caught.value.code == "VOID_BATCH_CLOSED"


def test_totals_close_nothing_and_say_when_the_service_never_answered(stage: Stage) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(10_00)
    head = till.journal.views.head()
    slip = render(totals(till, till.journal), till, "en")
    assert till.journal.views.head() == head
    assert "the service has not answered yet" in slip
    assert "TOTALS, nothing closed (no. 1)" in slip


def test_what_an_older_service_said_names_no_head(stage: Stage) -> None:
    till = stage.till()
    Customer(till, stage.card().plug()).buy(1_00)
    tell_head(stage, till, None)
    assert totals(till, till.journal).close.ledger is None


def test_a_day_is_not_closed_over_an_open_outcome(stage: Stage) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(1_00)
    head = till.journal.views.head()
    till.journal._db.execute(
        "INSERT INTO intents SELECT seq + 1000, purse, ctr + 1, NULL, 'open' FROM intents"
    )
    error = refused(lambda: close_day(till))
    assert isinstance(error, JournalError)
    assert error.code == "CLOSE_INTENT_OPEN"
    assert till.journal.views.head() == head
