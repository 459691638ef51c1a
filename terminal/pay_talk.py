"""What ``terminal pay`` says: plain lines for people, or one JSON object."""

from collections.abc import Callable
from typing import Any

from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.errors import CardlibError, PinPadError
from cardlib.text.catalogue import explain, label, money, sentence
from terminal.pay import Paid
from terminal.receipts import day_in_words
from terminal.recovery.flow import Settled
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Offer, Share
from terminal.sale.states import Step
from terminal.trust import BundleTrust


class PlainTalk:
    """Prints for people. ``confirm`` asks yes or no, ``ask_pin`` for the PIN.

    ``keypad``: the PIN is typed on the reader where it has one; when that fails ``again``
    asks whether to try it once more. Without it nobody can be asked.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        confirm: Callable[[str], bool],
        ask_pin: Callable[[], Pin],
        trust: BundleTrust,
        lang: str,
        *,
        interactive: bool,
        keypad: bool = False,
        again: Callable[[str], bool] | None = None,
    ) -> None:
        self.interactive = interactive
        self.keypad = keypad
        self._again = again
        self._say = say
        self._confirm = confirm
        self._ask_pin = ask_pin
        self._trust = trust
        self._lang = lang
        self._issuer = bytes(3)

    def card(self, shown: CardShown) -> None:
        """Wallets, balances, last days."""
        self._issuer = shown.info.issuer
        if len(self._trust.issuers) > 1:
            self._say(self._label("town", issuer=shown.info.issuer_code))
        for wallet in shown.wallets:
            until = day_in_words(shown.last_day(wallet), self._lang)
            name = self._name(wallet.grant.programme)
            balance = money(wallet.balance, self._lang)
            self._say(self._label("wallet", name=name, balance=balance, day=until))

    def agree(self, offer: Offer) -> bool:
        """Before, after, what remains; then the question."""
        for share in offer.shares:
            self._say(self._share(share))
        key = "gives_back" if offer.kind is SpendType.VOID else "pays"
        self._say(self._label(key, amount=money(offer.total, self._lang)))
        for short in offer.shortfalls:
            amount = money(short.amount, self._lang)
            self._say(sentence(short.code, self._lang, amount=amount))
        if offer.other.cents:
            self._say(self._label("other", amount=money(offer.other, self._lang)))
        return self._confirm(self._label("agree"))

    def pin(self) -> Pin:
        """The customer types it."""
        return self._ask_pin()

    def pad_failed(self, error: PinPadError) -> bool:
        """The cashier decides."""
        if self._again is None:
            raise error
        self.trouble(error)
        return self._again(self._label("pad_again"))

    def step(self, step: Step) -> None:
        """One line a step."""
        self._say(label("sale_step", step.value, self._lang) + " …")

    def settled(self, found: Settled) -> None:
        """What became of an earlier sale."""
        told = sentence(found.conclusion.code, self._lang)
        self._say(self._label("settled", seq=found.seq, told=told))

    def trouble(self, error: CardlibError) -> None:
        """The sentence of the error."""
        self._say(explain(error, self._lang))

    def _share(self, share: Share) -> str:
        return self._label(
            "share",
            name=self._name(share.programme),
            before=money(share.before, self._lang),
            after=money(share.after, self._lang),
        )

    def _name(self, programme: int) -> str:
        return self._trust.programme_name(self._issuer, programme)

    def _label(self, key: str, **facts: object) -> str:
        return label("pay", key, self._lang, **facts)


class QuietTalk(PlainTalk):
    """Says nothing: the JSON object at the end says it all."""

    def card(self, shown: CardShown) -> None:
        """Nothing."""

    def agree(self, offer: Offer) -> bool:  # noqa: ARG002 - --yes has agreed
        """``--yes`` has said so."""
        return True

    def step(self, step: Step) -> None:
        """Nothing."""

    def settled(self, found: Settled) -> None:
        """Nothing."""

    def trouble(self, error: CardlibError) -> None:
        """Nothing."""


def paid_object(paid: Paid, commands: int, octets: int) -> dict[str, Any]:
    """The JSON object of a finished sale; amounts in cents."""
    receipt, closing = paid.receipt, paid.result.closing
    assert closing is not None
    return {
        "state": paid.result.state.value,
        "kind": receipt.kind.name.lower(),
        "receipt": receipt.number,
        "total_cents": receipt.total.cents,
        "other_cents": receipt.other.cents,
        "wallets": [
            {
                "slot": share.slot,
                "programme": share.programme,
                "before_cents": share.before.cents,
                "after_cents": share.after.cents,
                "valid_to": share.valid_to.isoformat(),
            }
            for share in paid.offer.shares
        ],
        "terminal": receipt.terminal,
        "intent_seq": paid.result.intent.header.seq,
        "entry_seq": receipt.seq,
        "entry_hash": receipt.code,
        "recovered": receipt.recovered,
        "proven": getattr(closing.body, "tc", None) is not None,
        "commands": commands,
        "bytes": octets,
    }
