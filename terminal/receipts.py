"""Receipts: what the customer takes home, as data and as text (Italian, English).

A multi-use voucher is no payment for the tax office: the fiscal receipt beside
ours says *corrispettivo non riscosso*, and so does this one. The code at the end
is the journal entry's hash: with it anybody finds the sale in the books again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from cardlib.calendar import local_time
from cardlib.codec.purse import Grant, SpendType, day_date
from cardlib.keys.grants import SignedGrant
from cardlib.text.catalogue import label, money
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed, GrantSeen, How, Intent
from cardlib.wire.ids import PurseId
from cardlib.wire.money import ZERO, Money
from terminal.journal.derived import purse_of
from terminal.journal.views import Views
from terminal.trust import BundleTrust

WIDTH = 40


@dataclass(frozen=True, slots=True)
class ReceiptWallet:
    """One voucher: name of its programme, balance before and after, last day."""

    name: str
    before: Money
    after: Money
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt. ``categories`` are (name by language, amount); ``code`` is the entry's hash.

    Amounts of a void are positive too; ``kind`` says that they came back.
    """

    number: int
    kind: SpendType
    recovered: bool
    merchant: str
    operator: str
    terminal: int
    unix: int
    categories: tuple[tuple[dict[str, str], Money], ...]
    wallets: tuple[ReceiptWallet, ...]
    total: Money
    other: Money
    seq: int
    code: str


def receipt_of(
    intent: Entry, closing: Entry, views: Views, trust: BundleTrust, merchant: str, operator: str
) -> Receipt:
    """The receipt of a committed intent, from the journal alone: it can be made again any time."""
    plan, done = intent.body, closing.body
    assert isinstance(plan, Intent)
    assert isinstance(done, Committed)
    return Receipt(
        number=done.receipt,
        kind=plan.plan.type,
        recovered=done.how is How.RECOVERED,
        merchant=merchant,
        operator=operator,
        terminal=intent.header.terminal,
        unix=plan.plan.time,
        categories=tuple(_categories(plan, trust)),
        wallets=tuple(_wallets(plan, views, trust)),
        total=Money(sum(line.cents for line in plan.lines)),
        other=Money(plan.other_cents),
        seq=closing.header.seq,
        code=closing.hash.hex(),
    )


def _categories(plan: Intent, trust: BundleTrust) -> Iterable[tuple[dict[str, str], Money]]:
    names = {item.bit: {"it": item.name_it, "en": item.name_en} for item in trust.categories}
    for bit in sorted({line.category for line in plan.lines}):
        cents = sum(line.cents for line in plan.lines if line.category == bit)
        yield names.get(bit, {}), Money(cents)


def _wallets(plan: Intent, views: Views, trust: BundleTrust) -> Iterable[ReceiptWallet]:
    purse = purse_of(plan)
    numbers = {line.slot: line.grant_seq for line in plan.lines}
    for shown in plan.shown:
        grant = grant_of(purse, numbers[shown.slot], views)
        yield ReceiptWallet(
            trust.programme_name(purse.issuer, grant.programme) if grant else str(shown.slot),
            Money(shown.before),
            Money(shown.after),
            day_date(grant.valid_to) if grant else None,
        )


def grant_of(purse: PurseId, grant_seq: int, views: Views) -> Grant | None:
    """The grant of that number, if this till has ever seen it."""
    seq = views.grant_seen(purse, grant_seq)
    if seq is None:
        return None
    body = views.entry(seq).decode().body
    assert isinstance(body, GrantSeen)
    return SignedGrant.decode(body.grant).grant


def day_in_words(day: date, lang: str) -> str:
    """``giovedì 31 dicembre 2026``: read aloud, not deciphered."""
    weekday = label("calendar", f"weekday_{day.isoweekday()}", lang)
    month = label("calendar", f"month_{day.month}", lang)
    return f"{weekday} {day.day} {month} {day.year}"


def render(receipt: Receipt, lang: str, width: int = WIDTH) -> str:
    """The receipt as lines of at most ``width`` characters."""
    say = _speaker(lang)
    lines = [*_head(receipt, say), ""]
    for names, amount in receipt.categories:
        lines.append(_row(names.get(lang) or say("goods"), money(amount, lang), width))
    lines += ["-" * width, _row(_total_name(receipt, say), money(receipt.total, lang), width)]
    if receipt.other != ZERO:
        lines.append(_row(say("other"), money(receipt.other, lang), width))
    for wallet in receipt.wallets:
        lines += ["", *_wallet(wallet, lang, say, width)]
    lines += ["", *_wrapped(say("not_collected"), width), *_wrapped(say("code"), width)]
    lines += [receipt.code[:32], receipt.code[32:]]
    return "\n".join(lines) + "\n"


def _speaker(lang: str) -> Callable[..., str]:
    def say(key: str, **facts: object) -> str:
        return label("receipt", key, lang, **facts)

    return say


def _head(receipt: Receipt, say: Callable[..., str]) -> list[str]:
    at = local_time(receipt.unix)
    title = "title_void" if receipt.kind is SpendType.VOID else "title_sale"
    lines = [
        receipt.merchant,
        receipt.operator,
        say(title, number=receipt.number),
        say("when", day=f"{at:%d/%m/%Y}", time=f"{at:%H:%M}", terminal=receipt.terminal),
    ]
    return [*lines, say("recovered")] if receipt.recovered else lines


def _total_name(receipt: Receipt, say: Callable[..., str]) -> str:
    return say("given_back" if receipt.kind is SpendType.VOID else "paid")


def _wallet(wallet: ReceiptWallet, lang: str, say: Callable[..., str], width: int) -> list[str]:
    lines = [
        wallet.name,
        _row(say("before"), money(wallet.before, lang), width),
        _row(say("after"), money(wallet.after, lang), width),
    ]
    if wallet.valid_to is not None:
        lines += _wrapped(say("valid_to", day=day_in_words(wallet.valid_to, lang)), width)
    return lines


def _row(name: str, amount: str, width: int) -> str:
    return f"{name[: width - len(amount) - 1]:<{width - len(amount)}}{amount}"


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
