"""A decoded trace in words: one line, or one line and a line a detail."""

from cardlib.codec.status import Status
from cardlib.text import catalogue
from cardlib.trace.details import Decoded, Detail, Fact
from cardlib.trace.names import masked
from cardlib.wire.money import Money

_TABLE, _STATUS_TABLE = "trace", "status_word"
_INDENT = "    "


def short(decoded: Decoded, lang: str) -> str:
    """``READ RECORD EF.SPEND 1: sale no. 5; wallet 1 has spent 4.00 EUR; answer MAC good``."""
    told = "; ".join(words(detail, lang) for detail in decoded.details)
    return f"{decoded.exchange.name}: {told or status_words(Status.OK.name, lang)}"


def expanded(decoded: Decoded, lang: str) -> list[str]:
    """Name, the bytes both ways with PINs masked, and every detail on a line of its own."""
    exchange = decoded.exchange
    answer = "-" if exchange.answer is None else exchange.answer.hex(" ").upper()
    return [
        exchange.name,
        f"{_INDENT}> {masked(exchange.command).hex(' ').upper()}",
        f"{_INDENT}< {answer}",
        *(_INDENT + words(detail, lang) for detail in decoded.details),
    ]


def words(detail: Detail, lang: str) -> str:
    """One detail in words."""
    facts = {name: _fact(name, fact, lang) for name, fact in detail.facts.items()}
    return catalogue.label(_TABLE, detail.key, lang, **facts)


def status_words(name: str, lang: str) -> str:
    """A status word's name in words; the name itself where there are none."""
    return catalogue.label(_STATUS_TABLE, name.lower(), lang)


def _fact(name: str, fact: Fact, lang: str) -> str | int:
    if isinstance(fact, Money):
        return catalogue.money(fact, lang)
    if name == "mac":
        return catalogue.label(_TABLE, str(fact), lang)
    if name == "word":
        return status_words(str(fact), lang)
    return fact
