"""A card is torn out in the debit: what happened is asked of the card, never guessed.

The module rebuilds the record from the signed intent, byte for byte. If it is the newest
on the card, the customer has paid; if the one before is, nothing has happened.
"""

from training import MODULE, driver, intent, new_card

from cardlib.codec.pin import Pin
from cardlib.dialogues.sale import CommitOutcome
from simulator.connection import InProcessConnection
from simulator.faults import TearAfter, TearBefore, nth
from simulator.training import PIN

UPDATE = 0xDC

for accident in (TearBefore, TearAfter):
    reader = accident(InProcessConnection(new_card(50_00)), nth(1, UPDATE))
    card = driver(reader)
    state = card.read()
    card.verify_pin(Pin(PIN))
    signed = intent(state, 12_50)
    assert card.debit(signed) is CommitOutcome.UNKNOWN

    reader.reinsert()
    newest = card.read().newest.record  # fresh randoms: an old answer would not pass
    if newest == MODULE.record_of(signed):
        print(f"{accident.__name__}: the card was debited, the goods are due")
    elif newest == state.newest.record:
        print(f"{accident.__name__}: nothing was taken, the same debit may be made again")
