"""Reads the balance of each wallet, and says how long that takes on two lines.

Five commands for one wallet; every record comes with a MAC over a fresh random, and every
grant with the municipality's signature. Nothing is believed that has neither.
"""

from training import driver, new_card

from cardlib.codec.purse import day_date
from simulator.connection import InProcessConnection
from simulator.timing import Line, Timed, TimingModel, VirtualClock

card = new_card(50_00, 12_50)

inner = InProcessConnection(card)

for bit_rate in (9_600, 115_200):
    timed = Timed(inner, VirtualClock(), TimingModel(Line.of(inner.atr, bit_rate)))
    driver(timed).read()
    print(f"read in {timed.spent_ms:.0f} ms at {bit_rate} bit/s")

for wallet in driver(inner).read().wallets.values():
    last_day = day_date(wallet.grant.valid_to)
    print(f"wallet {wallet.slot}: {wallet.balance}, until {last_day}")
