"""Debits a card: read, PIN, signed intent, UPDATE, certificate. Ten commands, 438 bytes."""

from training import driver, intent, new_card

from cardlib.codec.pin import Pin
from cardlib.dialogues.sale import CommitOutcome
from cardlib.trace import Exchange
from simulator.connection import InProcessConnection
from simulator.training import PIN

trace: list[Exchange] = []
card = driver(InProcessConnection(new_card(50_00)), trace.append)

state = card.read()
print("before:", state.wallets[1].balance)
card.verify_pin(Pin(PIN))
signed = intent(state, 12_50)  # a till makes this durable now: what follows may be torn
outcome = card.debit(signed)
assert outcome is CommitOutcome.COMMITTED  # the answer's MAC was good: the money has moved
proof = card.attest()  # the backend's proof; a till cannot check it
print("after: ", card.read().wallets[1].balance)
card.end()

for exchange in trace[:10]:
    print(f"{exchange.name:30} {exchange.size:4} bytes")
print("certificate", proof.tc.hex() if proof.tc else "none")
