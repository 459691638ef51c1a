"""Readable scripts of what happens to cards: faults, and the people around them.

``grammar`` reads lines into steps, ``player`` does them on the slots that the panel uses,
too. The language is in docs/simulator.md.
"""

from simulator.script.grammar import Step, parse
from simulator.script.player import Player

__all__ = ["Player", "Step", "parse"]
