"""Writes what happens to a card as a script that anybody can read, and plays it.

The same lines drive ``borsellino sim play``; without a daemon the slot is in this process.
"""

import tempfile
from pathlib import Path

from training import RANDOMNESS

from simulator.script import Player, parse
from simulator.shelf import Shelf
from simulator.slot import Slot
from simulator.timing import VirtualClock

SCRIPT = """
new card anna white
insert card anna
read
expect OK
verify 99999
expect PIN_WRONG
say the PIN was wrong, two tries are left
at VERIFY 1 tear after
verify 12345
expect CARD_GONE
put back
verify 12345
expect OK
say the card is back, and none the worse for it
remove
"""

with tempfile.TemporaryDirectory() as folder:
    clock = VirtualClock()
    slot = Slot(1, clock)
    Player(Shelf(Path(folder), RANDOMNESS), [slot], clock).play(parse(SCRIPT.splitlines()))
