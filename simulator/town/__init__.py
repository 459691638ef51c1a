"""The simulated town and the demo: the composition root, which may import everything.

``story`` tells the demo; ``town_hall`` is the municipality with its backend, ``shop``
a merchant with a till, ``readers`` put cards in, ``books`` compares cards and ledger.
"""
