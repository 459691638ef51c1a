"""What the worker tells, shown: the half of the till's screen that only listens.

A question that has come up does not take its answer at once (``settle_s``), so that a
key pressed twice is harmless.
"""

from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from typing import Any, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.screen import ModalScreen, Screen

from cardlib.monitor import CardWatch
from cardlib.wire.ids import PurseId
from terminal.counter import Counter
from terminal.till import Till
from terminal.ui import messages
from terminal.ui.card_slot import OpenCard
from terminal.ui.counter_worker import CounterWorker, Job
from terminal.ui.messages import Reason
from terminal.ui.shown import PinPlace, TillStatus
from terminal.ui.steps import UiStep
from terminal.ui.widgets.till_view import TillView
from terminal.ui.wording import Wording

T = TypeVar("T")


class ToldScreen(Screen[None]):
    """``poll_s``: how often the reader is asked for a card; ``settle_s``: how long a
    question that has just come up ignores its answer. Both in seconds. With ``watch`` the
    reader is not asked: it tells.
    """

    AUTO_FOCUS = ""  # each step says what has the keys; F8 is no category while a case is open

    def __init__(
        self,
        till: Till,
        open_card: OpenCard,
        lang: str,
        *,
        poll_s: float,
        settle_s: float,
        watch: CardWatch | None = None,
    ) -> None:
        super().__init__()
        self._wording = Wording(lang)
        own = till.certificate
        self.view = TillView(self._wording, own.merchant_name, own.terminal, training=own.training)
        self.worker = CounterWorker(
            Counter(till), open_card, lang, self.post_message, poll_s, watch
        )
        self._serving = self.worker.serving
        self.failure: BaseException | None = None
        """What ended the worker before its time; an open debit is found at the next start."""
        self._settle_s = settle_s
        self._status = TillStatus()
        self._busy = True
        self._settled = True
        self._pin = PinPlace.NOWHERE
        self._amount = ""
        self._typed_for: PurseId | None = None
        self._leaving = False
        self._timer: TimerHandle | None = None
        self._dialog: ModalScreen[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether the worker has something to do for the cashier."""
        return self._busy

    @property
    def settled(self) -> bool:
        """Whether the question in view takes its answer already."""
        return self._settled

    def compose(self) -> ComposeResult:
        """One view."""
        yield self.view

    def on_mount(self) -> None:
        """The worker begins when there is somebody to tell."""
        self.worker.start()

    @on(messages.StatusChanged)
    def _status_changed(self, event: messages.StatusChanged) -> None:
        before, self._status = self._status.trouble, event.status
        self.view.status.show(event.status)
        if self.view.step is UiStep.INSERT and event.status.trouble != before:
            self.view.show_insert(None, event.status)

    @on(messages.Working)
    def _working(self, event: messages.Working) -> None:
        self._busy = True
        self._close_dialog()
        self.view.show_working(event.step)

    @on(messages.CardWanted)
    def _card_wanted(self) -> None:
        self._answered()
        self.view.show_insert(None, self._status)

    @on(messages.CardRead)
    def _card_read(self, event: messages.CardRead) -> None:
        self._answered()
        same = event.same_card or event.card.purse == self._typed_for
        self.view.show_amounts(event.card, keep=same)
        self._typed_for = event.card.purse

    @on(messages.AmountsRefused)
    def _amounts_refused(self, event: messages.AmountsRefused) -> None:
        self._answered()
        self.view.back_to_amounts(event.reason)

    @on(messages.Offered)
    def _offered(self, event: messages.Offered) -> None:
        self._answered()
        self._pin = event.offer.pin
        self._amount = self._wording.money(event.offer.total)
        self.view.show_offer(event.offer)
        self._settle()

    @on(messages.SaleClosed)
    def _sale_closed(self, event: messages.SaleClosed) -> None:
        self._answered()
        self._typed_for = None
        self.view.show_receipt(event)
        self._settle()

    @on(messages.Declined)
    def _declined(self, event: messages.Declined) -> None:
        self._typed_for = None
        self._over(None, card_in=event.card_in, other_purse=event.other_purse)

    @on(messages.Ended)
    def _ended(self, event: messages.Ended) -> None:
        self._over(event.reason, card_in=event.card_in, other_purse=event.other_purse)

    @on(messages.OutcomeUnknown)
    def _outcome_unknown(self, event: messages.OutcomeUnknown) -> None:
        self._answered()
        self.view.show_unknown(event.case, event.reason)
        self._settle()

    @on(messages.NotDebited)
    def _not_debited(self, event: messages.NotDebited) -> None:
        self._answered()
        self._pin = event.pin
        self._amount = self._wording.money(event.case.amount)
        self.view.show_not_debited(event.case, event.reason)
        self._settle()

    @on(messages.CardOut)
    def _card_out(self) -> None:
        if self.view.step is UiStep.NOTICE:
            self._answered()
            self.view.show_insert(None, self._status)
        elif self.view.step is UiStep.RECEIPT:
            self.view.card_taken()

    @on(messages.Aside)
    def _aside(self, event: messages.Aside) -> None:
        sentence = self._wording.explain(event.reason.code, event.reason.facts)
        self.notify(f"{sentence}  {event.reason.code}", severity="warning", markup=False)

    @on(messages.WorkerStopped)
    def _worker_stopped(self, event: messages.WorkerStopped) -> None:
        self.failure = event.error
        if event.error is not None:
            self.app.exit(return_code=1)

    def _ask(self, job: Job) -> None:
        self._busy = True
        self.worker.submit(job)

    def _answered(self) -> None:
        self._busy = self._leaving = False
        self._close_dialog()

    def _over(self, reason: Reason | None, *, card_in: bool, other_purse: bool) -> None:
        self._answered()
        if card_in:
            self.view.show_notice(reason, other_purse=other_purse)
            self._settle()
        else:
            self.view.show_insert(reason, self._status)

    def _settle(self) -> None:
        # Not a timer of Textual's: that one skips its only turn when it starts late.
        if self._timer is not None:
            self._timer.cancel()
        self._settled = False
        self._timer = get_running_loop().call_later(self._settle_s, self._has_settled)

    def _has_settled(self) -> None:
        self._settled = True

    def _open(self, dialog: ModalScreen[T], then: Callable[[T | None], None]) -> None:
        def closed(answer: T | None) -> None:
            self._dialog = None
            self._settle()
            then(answer)

        self._dialog = dialog
        self.app.push_screen(dialog, closed)

    def _close_dialog(self) -> None:
        if self._dialog is not None:
            self._dialog.dismiss()
            self._dialog = None
