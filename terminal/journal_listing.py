"""``terminal journal``: entries as lines and as JSON."""

from collections.abc import Iterator
from typing import Any

from cardlib.calendar import local_time
from cardlib.text.catalogue import label, money
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed, Declined, Intent, NotApplied, Unresolved
from cardlib.wire.money import Money
from terminal.journal.derived import purse_of
from terminal.journal.views import StoredEntry


def entry_line(stored: StoredEntry, lang: str) -> str:
    """One entry in one line: number, when, what."""
    entry = stored.decode()
    at = local_time(entry.header.wall_ms // 1000)
    kind = label("journal", entry.body.type.name.lower(), lang)
    return f"{stored.seq:>6}  {at:%Y-%m-%d %H:%M:%S}  {kind:<22}  {_detail(entry, lang)}".rstrip()


def _detail(entry: Entry, lang: str) -> str:
    match entry.body:
        case Intent() as intent:
            total = money(Money(sum(line.cents for line in intent.lines)), lang)
            return f"{total}  {purse_of(intent)}"
        case Committed(intent_seq=seq, receipt=receipt):
            return label("journal", "of_receipt", lang, seq=seq, receipt=receipt)
        case NotApplied(intent_seq=seq, code=code):
            return label("journal", "of_code", lang, seq=seq, code=code.value)
        case Unresolved(intent_seq=seq, code=code):
            return label("journal", "of_code", lang, seq=seq, code=code)
        case Declined(code=code):
            return code
        case _:
            return ""


def entry_object(stored: StoredEntry) -> dict[str, Any]:
    """One entry as JSON: its number, type and fields by their key, bytes as hex."""
    entry = stored.decode()
    fields = entry.header.fields(entry.body.type) | entry.body.fields()
    return {
        "seq": stored.seq,
        "type": entry.body.type.name.lower(),
        "hash": stored.hash.hex(),
        "fields": {str(key): _plain(value) for key, value in sorted(fields.items())},
        "bytes": stored.complete.hex(),
    }


def entry_details(stored: StoredEntry) -> Iterator[str]:
    """One entry, a line a field."""
    shown = entry_object(stored)
    yield f"{shown['seq']} {shown['type']} {shown['hash']}"
    for key, value in shown["fields"].items():
        yield f"{key:>4}  {value}"


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
