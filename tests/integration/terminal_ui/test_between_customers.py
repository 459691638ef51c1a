"""What the till does by itself while nobody is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.message import Message

from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError
from cardlib.wire.bundle import Decided
from cardlib.wire.entry_body import Heartbeat
from cardlib.wire.ids import Seq
from cardlib.wire.upload import Acknowledgement
from simulator.faults import TearAfter, nth
from terminal.counter import Counter
from terminal.till import Till
from terminal.till_files import write_durably
from terminal.ui.between_customers import KEEP_UP_S
from terminal.ui.card_slot import CardSlot
from terminal.ui.messages import Aside, Reason
from terminal.ui.serving import Serving
from tests.integration.terminal.stage import START, Customer, Stage

NONCE, UPDATE = 77, 0xDC


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


def nobody() -> CardConnection:
    raise CardMissingError


def idle(till: Till) -> Serving:
    return Serving(Counter(till), CardSlot(nobody), "en", lambda _message: None)


def answered(stage: Stage, till: Till) -> None:
    """The backend has answered once."""
    answer = Acknowledgement(
        terminal=till.author.terminal, high_seq=Seq(0), high_hash=bytes(32), server_time=START,
        nonce=NONCE, bundle_version=1, verdicts=(),
    )  # fmt: skip
    till.journal.acknowledgements.record(answer.sign(stage.operator), answer)


def heartbeats(till: Till) -> list[Heartbeat]:
    bodies = (stored.decode().body for stored in till.journal.views.entries())
    return [body for body in bodies if isinstance(body, Heartbeat)]


def test_a_till_that_waits_says_that_it_is_alive(stage: Stage) -> None:
    till = stage.till()
    answered(stage, till)
    serving = idle(till)
    for _ in range(3):
        serving.look()
        stage.clock.sleep(KEEP_UP_S)
    assert heartbeats(till) == [Heartbeat(server_time=START, nonce=NONCE)]
    stage.clock.sleep(3600)
    serving.look()

    assert len(heartbeats(till)) == 2


def test_what_the_agent_fetched_is_taken_up_between_customers(stage: Stage) -> None:
    till = stage.till()
    serving = idle(till)
    serving.look()
    stage.install(hotlist=(stage.card().purse,))
    write_durably(till.files.bundle, stage.bundle.sign(stage.operator))
    stage.clock.sleep(KEEP_UP_S)
    serving.look()

    assert till.trust.bundle is not None
    assert till.trust.bundle.hotlist == (stage.card().purse,)


@pytest.mark.parametrize(("ours", "code"), [(True, "TOLD_COMMITTED"), (False, "TOLD_NOT_APPLIED")])
def test_the_cashier_is_told_what_the_backend_found_out(
    stage: Stage, ours: bool, code: str
) -> None:
    """Words, not a silent change: somebody may come for the goods, or for nothing."""
    till, card, posted = stage.till(), stage.card(), list[Message]()
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    result = Customer(till, reader).buy(500)
    Counter(till).recovery().park()
    serving = Serving(Counter(till), CardSlot(nobody), "en", posted.append)
    record = bytes(card.spend_file.records[0 if ours else 1])
    stage.install(
        decided=(
            Decided(till.author.terminal, result.intent.header.seq, result.intent.hash[:8], record),
        )
    )
    write_durably(till.files.bundle, stage.bundle.sign(stage.operator))
    serving.look()
    (aside,) = (message for message in posted if isinstance(message, Aside))

    assert aside.reason == Reason(code, {"seq": result.intent.header.seq})
    assert till.journal.views.unsettled() == []


def test_other_bytes_under_our_hash_close_nothing(stage: Stage) -> None:
    till, card = stage.till(), stage.card()
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    result = Customer(till, reader).buy(500)
    Counter(till).recovery().park()
    seq, digest = result.intent.header.seq, result.intent.hash[:8]
    forged = bytes(card.spend_file.records[0])[:12] + bytes(42)
    stage.install(decided=(Decided(till.author.terminal, seq, digest, forged),))
    write_durably(till.files.bundle, stage.bundle.sign(stage.operator))
    till.refresh()
    assert not till.told
    assert till.journal.views.unsettled() != []
