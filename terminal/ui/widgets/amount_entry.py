"""Amounts by category, typed as on a till: 1250 is 12,50.

Digits type, Enter adds to the chosen category, Backspace takes back the last digit
and then the last amount added. F-keys or the arrows choose the category.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from cardlib.wire.money import ZERO, Money
from terminal.sale.offer import Item
from terminal.ui.shown import CategoryName
from terminal.ui.wording import Wording

DIGITS_MAX = 7
"""Up to 99 999,99."""
F_KEYS = 12


class AmountEntry(Widget, can_focus=True):
    """The basket: one line a category, goods without voucher last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose_by(-1)", show=False),
        Binding("down", "choose_by(1)", show=False),
        Binding("backspace", "take_back", show=False),
        *(Binding(f"f{n}", f"choose({n - 1})", show=False) for n in range(1, F_KEYS + 1)),
    ]

    @dataclass
    class Typed(Message):
        """Digits or sums are different now."""

        typed: Money
        total: Money

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self._categories: tuple[CategoryName, ...] = ()
        self._added: list[tuple[int, Money]] = []
        self._chosen = 0
        self._digits = ""

    def begin(self, categories: tuple[CategoryName, ...]) -> None:
        """An empty basket for another customer."""
        other = CategoryName(None, self._wording("other_goods"))
        self._categories = (*categories, other)
        self._added, self._chosen = [], 0
        self._type("")

    def has(self, categories: tuple[CategoryName, ...]) -> bool:
        """Whether these are the categories in view."""
        return self._categories[:-1] == categories

    @property
    def typed(self) -> Money:
        """What stands in the figures and is not added yet."""
        return Money(int(self._digits or "0"))

    @property
    def is_typing(self) -> bool:
        """Whether a digit stands there, if only a zero."""
        return bool(self._digits)

    @property
    def items(self) -> tuple[Item, ...]:
        """Category totals for the vouchers."""
        sums = ((item.bit, self._sum(at)) for at, item in enumerate(self._categories))
        return tuple(Item(bit, cents) for bit, cents in sums if bit is not None and cents != ZERO)

    @property
    def other(self) -> Money:
        """Goods that no voucher pays."""
        return self._sum(len(self._categories) - 1)

    @property
    def total(self) -> Money:
        """The whole basket."""
        return sum((amount for _, amount in self._added), ZERO)

    def add(self) -> None:
        """Adds what is typed to the chosen category."""
        if self.typed != ZERO:
            self._added.append((self._chosen, self.typed))
        self._type("")

    def clear(self) -> None:
        """Forgets the digits that are not added yet."""
        self._type("")

    def press(self, digit: str) -> None:
        """One more digit."""
        if len(self._digits) < DIGITS_MAX:
            self._type(self._digits + digit)

    def action_take_back(self) -> None:
        """The last digit, then the last amount."""
        if not self._digits and self._added:
            self._chosen, _ = self._added.pop()
        self._type(self._digits[:-1])

    def action_choose(self, number: int) -> None:
        """A category by its number from 0."""
        if number < len(self._categories):
            self._chosen = number
            self.refresh()

    def action_choose_by(self, step: int) -> None:
        """The next or previous category."""
        self._chosen = (self._chosen + step) % max(1, len(self._categories))
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Digits, also those of the numeric keys."""
        if event.character is not None and event.character in "0123456789":
            event.stop()
            self.press(event.character)

    def on_click(self, event: events.Click) -> None:
        """A line chooses its category."""
        self.focus()
        self.action_choose(self._first_line() + event.y)

    def render(self) -> RenderResult:
        """The lines around the chosen one, as many as there is room for."""
        first = self._first_line()
        shown = range(first, min(len(self._categories), first + max(1, self.size.height)))
        return Text("\n").join(self._line(at) for at in shown)

    def _first_line(self) -> int:
        room = max(1, self.size.height)
        return max(0, min(self._chosen - room + 1 + room // 2, len(self._categories) - room))

    def _line(self, at: int) -> Text:
        amount = self._sum(at)
        key = f"F{at + 1}" if at < F_KEYS else ""
        mark = "▶" if at == self._chosen else " "
        money = self._wording.money(amount) if amount != ZERO else ""
        room = max(0, self.size.width - len(money) - 8)
        line = Text(f" {mark} {key:<3} {self._categories[at].name[:room]:<{room}}{money} ")
        line.stylize("reverse" if at == self._chosen else "")
        return line

    def _sum(self, at: int) -> Money:
        return sum((amount for category, amount in self._added if category == at), ZERO)

    def _type(self, digits: str) -> None:
        self._digits = digits
        self.refresh()
        self.post_message(self.Typed(self.typed, self.total))
