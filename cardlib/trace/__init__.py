"""Traces of a conversation: command names for people, PIN bytes masked always.

``exchange`` is one command and its answer, ``conversation`` understands a series of them,
``wording`` puts that into words, ``recording`` keeps it as JSON lines.
"""

from cardlib.trace.exchange import Exchange
from cardlib.trace.names import WRITING, command_name, instruction, instructions, masked

__all__ = ["WRITING", "Exchange", "command_name", "instruction", "instructions", "masked"]
