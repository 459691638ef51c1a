"""A faithful virtual card, ways to plug it in and to break it, and a simulated town.

``card`` is the card's side of the protocol and knows nothing of the host's;
``faults`` and ``vpcd`` stand between the two.
"""
