"""The steps of a customer's visit as the screen has them, and the keys of each."""

from enum import StrEnum

from terminal.ui.widgets.key_bar import KeyHint
from terminal.ui.wording import Wording


class UiStep(StrEnum):
    """One panel each; the value is its id, and the prefix of its words in the catalogue."""

    INSERT = "insert"
    """Nobody is there."""
    WORKING = "working"
    """The card works: nothing can be asked now."""
    AMOUNTS = "amounts"
    OFFER = "offer"
    """The customer is to agree."""
    RECEIPT = "receipt"
    NOTICE = "notice"
    """Over without a receipt; the card is still in."""
    UNKNOWN = "unknown"
    """Whether the card was debited is not known."""
    NOT_DEBITED = "not_debited"
    """It was not, and may be debited again."""


_ENTER, _ESC, _TAB = "Enter", "Esc", "Tab"
_KEYS: dict[UiStep, tuple[tuple[str, str, str], ...]] = {
    UiStep.INSERT: (("Ctrl+Q", "key_close", "leave"),),
    UiStep.WORKING: (),
    UiStep.AMOUNTS: (
        (_ENTER, "key_add", "confirm"),
        ("F1-F9 ↑↓", "key_category", "next_category"),
        (_ESC, "key_no_sale", "back"),
    ),
    UiStep.OFFER: (
        (_ENTER, "key_agree", "confirm"),
        ("F2", "key_change", "change"),
        (_ESC, "key_no", "back"),
    ),
    UiStep.RECEIPT: ((_ENTER, "key_next", "confirm"), ("↑↓", "key_scroll", "roll_receipt")),
    UiStep.NOTICE: ((_ENTER, "key_same_card", "confirm"),),
    UiStep.UNKNOWN: ((_ENTER, "key_read_again", "confirm"), ("F8", "key_park", "park")),
    UiStep.NOT_DEBITED: (
        (_ENTER, "key_try_again", "confirm"),
        (_ESC, "key_give_up", "back"),
    ),
}


_OTHER_PURSE_KEYS: dict[UiStep, tuple[tuple[str, str, str], ...]] = {
    UiStep.AMOUNTS: (  # each category shows its own key
        (_ENTER, "key_add", "confirm"),
        (_TAB, "key_other_purse", "next_purse"),
        (_ESC, "key_no_sale", "back"),
    ),
    UiStep.NOTICE: (
        (_ENTER, "key_same_card", "confirm"),
        (_TAB, "key_other_purse", "next_purse"),
    ),
}
"""Where the card may hold another purse."""


def keys_of(step: UiStep, wording: Wording, *, other_purse: bool = False) -> tuple[KeyHint, ...]:
    """What each key does at a step; ``other_purse``: the card may hold another one."""
    faces = {_ENTER: wording("enter")}
    keys = _OTHER_PURSE_KEYS.get(step) if other_purse else None
    return tuple(
        KeyHint(faces.get(key, key), wording(does), action)
        for key, does, action in keys or _KEYS[step]
    )
