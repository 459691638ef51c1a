"""The demo: a small town in one go, on real files and over a real line.

``story`` tells it; ``town_hall`` is the municipality with its backend, ``shop`` a
merchant with a till, ``readers`` put cards in, ``books`` compares cards and ledger.
"""
