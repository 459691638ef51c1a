"""``borsellino doctor``: what is missing here, and the command that mends it.

``service`` looks at library and daemon, ``reader`` at reader and card, ``till`` at a
till's directory, disk and clock; ``--probe`` (``cardlib.dialogues.probe``) asks a chip
what it can do.
"""

from terminal.doctor.cli import doctor

__all__ = ["doctor"]
