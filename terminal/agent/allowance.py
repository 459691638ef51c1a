"""A module card's allowance, renewed after the journal has been carried to the backend.

The module says how far it is, under its own signature; the backend answers with an order
that only this module obeys. Software modules have no allowance.
"""

from cardlib.drivers.card_module import CardModule
from cardlib.errors import CardlibError
from terminal.agent.uplink import Uplink
from terminal.till import Till


class Allowance:
    """Asks once for each state of the module that the backend has not answered yet."""

    def __init__(self, till: Till, uplink: Uplink) -> None:
        self._module = till.module
        self._uplink = uplink
        self._answered = b""

    def renew(self) -> str:
        """The code of what went wrong, empty for nothing: the old order holds until the next."""
        if not isinstance(self._module, CardModule):
            return ""
        try:
            state = self._module.state()
            if state != self._answered:
                self._module.obey(self._uplink.module_order(state))
                self._answered = self._module.state()
        except CardlibError as error:
            return error.code
        return ""
