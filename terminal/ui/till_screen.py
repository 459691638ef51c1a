"""The till's one screen: asks the worker what the cashier wants (what it tells: ``told_screen``).

While the worker is busy no key does anything, and for a moment after a question has
come up its Enter and Escape do nothing either: a key pressed twice is harmless.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from cardlib.codec.pin import Pin
from cardlib.wire.money import ZERO
from terminal.ui import messages
from terminal.ui.messages import Reason
from terminal.ui.shown import PinPlace
from terminal.ui.steps import UiStep
from terminal.ui.told_screen import ToldScreen
from terminal.ui.widgets.keypad import Keypad
from terminal.ui.widgets.pad_dialog import PadChoice, PadDialog
from terminal.ui.widgets.pin_dialog import PinDialog
from terminal.ui.widgets.question_dialog import QuestionDialog


class TillScreen(ToldScreen):
    """The cashier's keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "confirm", show=False),
        Binding("escape", "back", show=False),
        Binding("f2", "change", show=False),
        Binding("f8", "park", show=False),
        Binding("tab", "next_purse", show=False),
    ]

    def action_confirm(self) -> None:
        """Enter: goes on from wherever the customer is."""
        if self._busy or not self._settled:
            return
        match self.view.step:
            case UiStep.AMOUNTS:
                self._add_or_propose()
            case UiStep.OFFER | UiStep.NOT_DEBITED if self._pin is PinPlace.NOWHERE:
                self._debit(None)
            case UiStep.OFFER if self._pin is PinPlace.READER:
                self._debit_on_pad()
            case UiStep.OFFER | UiStep.NOT_DEBITED:
                self._ask_pin(None)
            case UiStep.UNKNOWN:
                self._ask(self._serving.settling.read_again)
            case _:
                self._ask(self._serving.again)

    def action_back(self) -> None:
        """Escape: no."""
        if self._busy or not self._settled:
            return
        entry = self.view.amounts.entry
        match self.view.step:
            case UiStep.AMOUNTS if entry.is_typing:
                entry.clear()
            case UiStep.AMOUNTS | UiStep.OFFER:
                self._ask(self._serving.decline)
            case UiStep.NOT_DEBITED:
                self._ask(self._serving.settling.give_up)

    def action_change(self) -> None:
        """Back from the offer to the amounts."""
        if self.view.step is UiStep.OFFER and not self._busy:
            self.view.back_to_amounts()

    def action_next_purse(self) -> None:
        """The purse of another town on the same card; what was typed stays."""
        at_rest = self.view.step in (UiStep.AMOUNTS, UiStep.NOTICE)
        if at_rest and self.view.other_purse and self._settled and not self._busy:
            self._ask(self._serving.next_purse)

    def action_next_category(self) -> None:
        """For the mouse: the next line of the basket."""
        self.view.amounts.entry.action_choose_by(1)

    def action_roll_receipt(self) -> None:
        """For the mouse: the next piece of the receipt."""
        self.view.roll_receipt()

    def action_park(self) -> None:
        """The customer has gone: asks whether that is so."""
        if self.view.step is UiStep.UNKNOWN and not self._busy:
            self._open(QuestionDialog(self._wording, self._wording("park_question")), self._park)

    def action_leave(self) -> None:
        """Closes the till; while the card works, only when asked twice."""
        if self._busy and not self._leaving:
            self._leaving = True
            self.notify(self._wording("wait_for_card"), markup=False)
        else:
            self.app.exit()

    @on(Keypad.Pressed)
    def _keypad_enter(self) -> None:
        self.action_confirm()

    def _add_or_propose(self) -> None:
        entry, reason = self.view.amounts.entry, self.view.amounts.reason
        if entry.typed != ZERO:
            entry.add()
        elif entry.is_typing:
            entry.clear()
            reason.show(Reason("AMOUNT_NOT_POSITIVE"))
        elif entry.items:
            self._ask(partial(self._serving.propose, entry.items, entry.other))
        else:
            reason.say(self._wording("nothing_typed"))

    def _ask_pin(self, reason: Reason | None) -> None:
        if self._pin is PinPlace.READER:
            self._open(PadDialog(self._wording, self._amount, reason), self._pad_chosen)
        else:
            self._ask_pin_here(reason)

    def _ask_pin_here(self, reason: Reason | None) -> None:
        self._open(PinDialog(self._wording, self._amount, reason), self._pin_given)

    def _pin_given(self, pin: Pin | None) -> None:
        if pin is not None and not self._busy:
            self._debit(pin)

    def _pad_chosen(self, choice: PadChoice | None) -> None:
        if self._busy:
            return
        if choice is PadChoice.READER:
            self._debit_on_pad()
        elif choice is PadChoice.TILL:
            self._ask_pin_here(None)

    def _debit(self, pin: Pin | None) -> None:
        if self.view.step is UiStep.OFFER:
            self._ask(partial(self._serving.agree, pin))
        elif self.view.step is UiStep.NOT_DEBITED:
            self._ask(partial(self._serving.settling.retry, pin))

    def _debit_on_pad(self) -> None:
        if self.view.step is UiStep.OFFER:
            self._ask(self._serving.agree_on_pad)
        elif self.view.step is UiStep.NOT_DEBITED:
            self._ask(self._serving.settling.retry_on_pad)

    def _park(self, sure: bool | None) -> None:  # noqa: FBT001 - a dialog's answer
        if sure and self.view.step is UiStep.UNKNOWN and not self._busy:
            self._ask(self._serving.settling.park)

    @on(messages.PinWanted)
    def _pin_wanted(self, event: messages.PinWanted) -> None:
        self._answered()
        self.view.return_to_offer()
        self._ask_pin(event.reason)
