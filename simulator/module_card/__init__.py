"""A security module that is a card: it signs, opens and builds, and keeps its own quotas.

The card's side of ``cardlib.drivers.card_module``. Like ``simulator.card`` it shares
nothing with the library but codecs and errors: it reads CBOR, COSE and records in its own way.
"""
