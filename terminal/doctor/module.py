"""The module card of a till that has one: there, the right kind, not blocked. Needs no PIN."""

from collections.abc import Iterator

from cardlib.drivers.card_module import describe_module
from cardlib.errors import CardlibError
from terminal.doctor.findings import Finding, found, lacking
from terminal.errors import TillError
from terminal.till_files import TillConfig, TillFiles

CHECK = "module"


def module(files: TillFiles) -> Iterator[Finding]:
    """One finding, or none for a till whose module is software."""
    try:
        slot = TillConfig.read(files.config).slot
    except TillError:
        return  # an unreadable config names no module
    try:
        if slot:
            yield _card(describe_module(slot.connect).pin_tries, slot.reader or slot.image)
    except CardlibError as error:
        yield lacking(CHECK, error.code, **error.facts)


def _card(tries: int, place: str) -> Finding:
    return found(CHECK, place) if tries else lacking(CHECK, "MODULE_BLOCKED", place)
