"""What can go wrong with virtual cards, outside the card itself.

::

    SimulatorError
    ├── ImageError          the image on disk cannot be read, or must not be written
    ├── MaskError           no such mask, suite or holder can be made
    ├── FaultError          the description of a fault is not understood
    ├── ReaderLinkError     the virtual reader cannot be reached
    ├── ReplayError         a run departs from the recorded trace
    ├── ScriptError         a line of a script is not understood, or does not come true
    └── TownError           a law does not hold in the simulated town

A command that a card refuses is no error here: the card answers with a status word.
"""

from typing import ClassVar

from cardlib.errors import CardlibError


class SimulatorError(CardlibError):
    """Root of the tree; ``code`` and ``facts`` as in ``cardlib.errors``."""

    default_code: ClassVar[str] = "SIMULATOR_PROBLEM"


class ImageError(SimulatorError):
    """The card image cannot be read, or must not be overwritten."""

    default_code = "CARD_IMAGE_UNREADABLE"


class MaskError(SimulatorError):
    """No card of this mask, suite or holder can be made."""

    default_code = "CARD_MASK_UNKNOWN"


class FaultError(SimulatorError):
    """The description of a fault is not understood."""

    default_code = "FAULT_UNKNOWN"


class ReaderLinkError(SimulatorError):
    """Nobody listens where the virtual reader should be."""

    default_code = "READER_LINK"


class ReplayError(SimulatorError):
    """A run asks for something else than the recorded trace has next."""

    default_code = "TRACE_DEPARTED"


class ScriptError(SimulatorError):
    """A line of a script is not understood, or what it expects does not come true."""

    default_code = "SCRIPT_LINE"


class TownError(SimulatorError):
    """A law does not hold in the simulated town.

    Facts: ``law`` (1 to 12, 0 for goods and alarms), ``subject`` (whose), ``what`` (technical),
    ``cents``, ``happening`` (id of the last one played) and ``seed``.
    """

    default_code = "TOWN_AUDIT_FAILED"
