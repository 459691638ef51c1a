"""A recorded run answers again as it did, and says where another run departs."""

from io import StringIO

import pytest

from cardlib.channel import Channel
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardGoneError, MalformedError
from cardlib.trace import Exchange
from cardlib.trace.recording import Recorder, read_recording
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.errors import ReplayError
from simulator.replay import ReplayConnection
from tests.unit.simulator.host import PIN, Host, purse_memory, verify

READ_INFO = bytes.fromhex("00B0810011")


def recorded() -> list[str]:
    """An inspection, then SELECT, a PIN, a lost answer and a reset."""
    card = InProcessConnection(VirtualCard(purse_memory(), SeededRandomness("replay")))
    stream = StringIO()
    recorder = Recorder(stream, card.atr)
    channel = Channel(card, recorder.exchange)
    channel.run(inspect_card())
    channel.transmit(bytes.fromhex("00A4080C041200B001"))
    channel.transmit(verify(PIN))
    recorder.exchange(Exchange(READ_INFO, None))
    recorder.reset()
    return stream.getvalue().splitlines()


def test_the_same_run_reads_the_same_card() -> None:
    lines = recorded()
    replayed = ReplayConnection(read_recording(lines))
    live = InProcessConnection(VirtualCard(purse_memory(), SeededRandomness("other")))
    assert Channel(replayed).run(inspect_card()) == Channel(live).run(inspect_card())
    assert replayed.atr == live.atr
    host = Host(replayed)
    host.select_purse()
    assert host.status(verify("99999")) == "9000"  # no trace holds a PIN, so any will do
    with pytest.raises(CardGoneError):
        replayed.transmit(READ_INFO)
    assert replayed.finished


def test_another_run_is_told_the_line_and_both_commands() -> None:
    lines = recorded()
    replayed = ReplayConnection(read_recording(lines))
    Channel(replayed).run(inspect_card())
    with pytest.raises(ReplayError) as departed:
        replayed.transmit(bytes.fromhex("00A4080C041200B002"))
    facts = departed.value.facts
    assert departed.value.code == "TRACE_DEPARTED"
    assert "1200B001" in lines[int(facts["line"]) - 1]
    assert facts["asked"] == "SELECT (00A4080C041200B002)"
    assert facts["recorded"] == "SELECT (00A4080C041200B001)"
    assert not replayed.finished


def test_a_run_that_goes_on_after_the_end_is_told_so() -> None:
    replayed = ReplayConnection(read_recording(recorded()[:2]))
    replayed.transmit(bytes.fromhex(_command(recorded()[1])))
    with pytest.raises(ReplayError) as ended:
        replayed.transmit(READ_INFO)
    assert ended.value.code == "TRACE_ENDED"


def test_no_pin_is_ever_recorded() -> None:
    text = "\n".join(recorded())
    assert PIN.encode().hex() not in text.lower()
    assert "0020009C08FFFFFFFFFFFFFFFF" in text


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([], "line 1"),
        (["{}"], "line 1"),
        (['{"format": "borsellino-trace", "version": 1, "atr": "3B"}', "[]"], "line 2"),
        (['{"format": "borsellino-trace", "version": 1, "atr": "3B"}', "{"], "line 2"),
        (
            ['{"format": "borsellino-trace", "version": 1, "atr": "3B"}', '{"command": "0"}'],
            "line 2",
        ),
        (['{"format": "borsellino-trace", "version": 1, "atr": 7}'], "line 1"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(lines: list[str], place: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_recording(lines)
    assert refused.value.code == "TRACE_UNREADABLE"
    assert place in str(refused.value.facts["what"])


def _command(line: str) -> str:
    import json

    command: str = json.loads(line)["command"]
    return command
