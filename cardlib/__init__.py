"""Card software for stored value on CRS-style smart cards.

``codec`` and ``wire`` are pure formats, ``keys`` holds every use of a key,
``dialogues`` are conversations with a card as generators (no input or output
of their own), ``drivers`` turn them into a :class:`~cardlib.drivers.purse_card.PurseCard`.
``channel`` carries a dialogue over a ``connection``: ``transport`` says what an APDU
becomes on the wire, ``pin_pad`` asks the reader's keypad, ``trace`` tells what was said.
Only ``pcsc`` and ``monitor`` touch readers; only ``system`` asks for time and randomness.

This package imports nothing of the other packages of the project, and this
file stays empty, so that ``import cardlib.wire`` costs nothing else.
"""
