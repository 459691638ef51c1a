"""Records what was said to a card, and lets the trace answer in its place.

PINs are masked before they are written. A run that departs from the trace is told where.
"""

import io

from training import new_card

from cardlib.channel import Channel
from cardlib.dialogues.inspect import inspect_card
from cardlib.trace.recording import Recorder, read_recording
from simulator.connection import InProcessConnection
from simulator.errors import ReplayError
from simulator.replay import ReplayConnection

connection = InProcessConnection(new_card(50_00))
trace = io.StringIO()
recorder = Recorder(trace, connection.atr)
seen = Channel(connection, recorder.exchange).run(inspect_card())
print(trace.getvalue().splitlines()[1])

again = ReplayConnection(read_recording(trace.getvalue().splitlines()))
assert Channel(again).run(inspect_card()) == seen
print("the trace answered as the card had, to the end:", again.finished)

try:
    ReplayConnection(read_recording(trace.getvalue().splitlines())).transmit(
        b"\x00\x84\x00\x00\x08"
    )
except ReplayError as departed:
    print("another command:", departed.code)
