"""Does what a script says, on a shelf and slots: what the panel does by keys.

In a slot of this process the script can be the host, too (``read``, ``verify``, ``send``);
what comes of that is the *outcome* that ``expect`` looks at: OK, the code of the error, or
the status word that ``send`` got.
"""

from collections.abc import Callable, Iterable, Mapping

from cardlib.channel import Channel
from cardlib.codec.apdu import Response
from cardlib.codec.commands import select_purse, verify_pin
from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES
from cardlib.codec.pin import Pin
from cardlib.codec.status import pin_tries_left
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardAnswerError, CardlibError, PinBlockedError, WrongPinError
from cardlib.ports import Clock
from cardlib.wire.money import Money
from simulator.card.card import VirtualCard
from simulator.card.masks import WHITE
from simulator.card_keys import CardKeys
from simulator.errors import FaultError, ImageError, MaskError, ScriptError
from simulator.script.grammar import Step, bad_line
from simulator.script.words import fault_at, fault_from_now_on
from simulator.shelf import Shelf
from simulator.slot import Slot, SlotEvent, Spoken
from simulator.wallets import wallets

OK = "OK"
_POLL_S = 0.05
_CONNECT_S = 5.0


class Player:
    """Plays steps in order. ``tell`` is given what ``say`` says."""

    def __init__(
        self,
        shelf: Shelf,
        slots: Iterable[Slot],
        clock: Clock,
        keys: CardKeys = CardKeys(),  # noqa: B008 - frozen
        tell: Callable[[str], object] = print,
    ) -> None:
        self._shelf = shelf
        self._slots = {slot.number: slot for slot in slots}
        self._clock = clock
        self._keys = keys
        self._tell = tell
        self._outcome: str | None = None
        self._heard: list[Spoken] = []
        for slot in self._slots.values():
            slot.watcher = self._watching(slot.watcher)

    def play(self, steps: Iterable[Step]) -> None:
        """Does all steps; ScriptError at the first that cannot be done or is not met."""
        for step in steps:
            try:
                _ACTIONS[step.action](self, step)
            except (FaultError, MaskError) as error:
                raise bad_line(step.line, step.text) from error

    # hands -----------------------------------------------------------------------------

    def _new_card(self, step: Step) -> None:
        self._shelf.new_card(step.words["name"], step.words.get("mask", WHITE))

    def _insert(self, step: Step) -> None:
        slot, name = self._slot(step), step.words["name"]
        try:
            card = self._shelf.take(name)
        except ImageError as error:
            raise ScriptError("SCRIPT_CARD", line=step.line, card=name) from error
        slot.insert(name, card)
        waited = 0.0
        while not slot.connected and waited < _CONNECT_S:
            self._clock.sleep(_POLL_S)
            waited += _POLL_S

    def _remove(self, step: Step) -> None:
        self._filled(step).remove()

    def _put_back(self, step: Step) -> None:
        self._filled(step).put_back()

    def _reset(self, step: Step) -> None:
        self._filled(step).reset()

    def _wait(self, step: Step) -> None:
        self._clock.sleep(step.seconds)

    def _wait_for(self, step: Step) -> None:
        wanted = step.words["command"].upper()
        waited = 0.0
        while not self._was_said(wanted, step.slot):
            if waited >= step.seconds:
                raise ScriptError("SCRIPT_NOT_SAID", line=step.line, expected=wanted)
            self._clock.sleep(_POLL_S)
            waited += _POLL_S

    # faults ----------------------------------------------------------------------------

    def _fault_at(self, step: Step) -> None:
        words = step.words["fault"] + step.words.get("how", "")
        fault = fault_at(step.words["command"], step.words.get("number", "1"), words)
        self._arm(step, fault)

    def _fault_from_now_on(self, step: Step) -> None:
        self._arm(step, fault_from_now_on(step.words["fault"]))

    def _fault(self, step: Step) -> None:
        self._arm(step, step.words["name"])

    def _arm(self, step: Step, fault: str | None) -> None:
        if fault is None:
            raise bad_line(step.line, step.text)
        self._slot(step).arm(fault)

    def _disarm(self, step: Step) -> None:
        self._slot(step).disarm()

    def _release(self, step: Step) -> None:
        self._filled(step).release()

    # the host --------------------------------------------------------------------------

    def _read(self, step: Step) -> None:
        self._as_host(step, lambda channel: channel.run(inspect_card()))

    def _verify(self, step: Step) -> None:
        self._as_host(step, lambda channel: _verify_pin(channel, step.words["pin"]))

    def _send(self, step: Step) -> None:
        apdu = bytes.fromhex(step.words["apdu"])
        slot = self._filled(step)

        def ask(_channel: Channel) -> str:
            return f"{Response.decode(slot.transmit(apdu)).status:04X}"

        self._as_host(step, ask)

    def _as_host(self, step: Step, action: Callable[[Channel], object]) -> None:
        try:
            said = action(Channel(self._filled(step)))
        except ScriptError:
            raise
        except CardlibError as error:
            self._outcome = error.code
        else:
            self._outcome = said if isinstance(said, str) else OK

    # expectations ----------------------------------------------------------------------

    def _expect(self, step: Step) -> None:
        wanted = step.words["outcome"].upper()
        if self._outcome is None:
            raise ScriptError("SCRIPT_NO_OUTCOME", line=step.line, expected=wanted)
        if wanted != self._outcome:
            raise self._unmet(step, wanted, self._outcome)

    def _expect_wallet(self, step: Step) -> None:
        wanted, found = Money.parse(step.words["amount"]), self._balance(step)
        if found is None:
            raise ScriptError("SCRIPT_NO_WALLET", line=step.line, expected=str(wanted))
        if wanted != found:
            raise self._unmet(step, str(wanted), str(found))

    def _balance(self, step: Step) -> Money | None:
        card = self._filled(step).card
        if not isinstance(card, VirtualCard):
            return None
        purse = card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
        keys = self._keys.of_purse(purse) if purse else None
        if purse is None or keys is None or keys.record is None:
            return None
        shown = wallets(purse, keys.record)
        number = int(step.words["wallet"])
        return next((wallet.balance for wallet in shown if wallet.slot == number), None)

    def _say(self, step: Step) -> None:
        self._tell(step.words["text"])

    # -------------------------------------------------------------------------------------

    def _slot(self, step: Step) -> Slot:
        slot = self._slots.get(step.slot)
        if slot is None:
            raise ScriptError("SCRIPT_SLOT_EMPTY", line=step.line, slot=step.slot)
        return slot

    def _filled(self, step: Step) -> Slot:
        slot = self._slot(step)
        if slot.card is None:
            raise ScriptError("SCRIPT_SLOT_EMPTY", line=step.line, slot=step.slot)
        return slot

    def _watching(self, before: Callable[[SlotEvent], None]) -> Callable[[SlotEvent], None]:
        def watch(event: SlotEvent) -> None:
            if isinstance(event, Spoken):
                self._heard.append(event)
            before(event)

        return watch

    def _was_said(self, wanted: str, slot: int) -> bool:
        """Whether it was said since the last time that somebody waited for anything."""
        for number, event in enumerate(self._heard):
            if event.slot == slot and event.decoded.exchange.name.upper().startswith(wanted):
                del self._heard[: number + 1]
                return True
        return False

    def _unmet(self, step: Step, expected: str, found: str) -> ScriptError:
        return ScriptError("SCRIPT_UNMET", line=step.line, expected=expected, found=found)


def _verify_pin(channel: Channel, pin: str) -> None:
    """Of the first purse; WrongPinError, PinBlockedError, CardAnswerError."""
    channel.send(select_purse(DF_BUONO_FIRST))
    answer = channel.send(verify_pin(Pin(pin)))
    left = pin_tries_left(answer.status)
    if left:
        raise WrongPinError(left)
    if left == 0:
        raise PinBlockedError
    if not answer.ok:
        raise CardAnswerError(answer.status, "VERIFY")


_ACTIONS: Mapping[str, Callable[[Player, Step], None]] = {
    name.removeprefix("_"): method
    for name, method in vars(Player).items()
    if name.startswith("_") and not name.startswith("__") and callable(method)
}
