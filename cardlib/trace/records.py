"""Purse records in a trace: what stands in clear, and the rest where K_REC is known."""

from datetime import UTC, datetime

from cardlib.codec.files import EF_GRANT, EF_INFO, EF_SPEND
from cardlib.codec.purse import Info, Spend, SpendType, day_date
from cardlib.codec.reader import Reader
from cardlib.errors import CardlibError
from cardlib.keys import records
from cardlib.trace.details import Detail, Fact
from cardlib.wire.money import Money


def info_detail(data: bytes) -> tuple[Info | None, tuple[Detail, ...]]:
    """EF.INFO, when ``data`` is one."""
    try:
        info = Info.decode(data)
    except CardlibError as error:
        return None, (Detail("record_bad", {"name": EF_INFO.name, "why": error.code}),)
    facts: dict[str, Fact] = {
        "issuer": info.issuer_code,
        "purse": info.purse.hex(),
        "suite": info.suite,
        "key_set": info.key_set,
        "expires_on": info.expires_on.isoformat(),
        "map": f"{info.record_map:08b}",
    }
    pin = Detail("pin_enforced" if info.pin_enforced else "pin_not_enforced")
    return info, (Detail("info", facts), pin)


def record_detail(sfi: int, record: bytes, key: bytes | None) -> tuple[Detail, ...]:
    """A record of EF.SPEND or EF.GRANT; nothing for other files."""
    if sfi not in (EF_SPEND.sfi, EF_GRANT.sfi):
        return ()
    name = EF_SPEND.name if sfi == EF_SPEND.sfi else EF_GRANT.name
    size = EF_SPEND.record_size if sfi == EF_SPEND.sfi else EF_GRANT.record_size
    if len(record) != size:
        return (Detail("record_bad", {"name": name, "why": f"{len(record)} B"}),)
    if not any(record):
        return (Detail("record_empty"),)
    return _spend(record, key) if sfi == EF_SPEND.sfi else _grant(record, key)


def _spend(record: bytes, key: bytes | None) -> tuple[Detail, ...]:
    reader = Reader(record, EF_SPEND.name)
    kind, ctr = reader.uint(1), reader.uint(3)
    if kind > SpendType.VOID:
        return (Detail("record_torn"),)
    head = _head(SpendType(kind), ctr)
    if key is None:
        return (head,)
    spend = records.open_spend(key, record)
    if spend is None:
        return head, Detail("record_torn")
    return spend_details(spend)


def spend_details(spend: Spend) -> tuple[Detail, ...]:
    """A record in clear: kind and number, totals that are not zero, who wrote it."""
    totals = (
        Detail("spent_total", {"slot": slot, "total": Money(total)})
        for slot, total in enumerate(spend.spent, 1)
        if total
    )
    return _head(spend.type, spend.ctr), *totals, *_terminal(spend)


def _head(kind: SpendType, ctr: int) -> Detail:
    return Detail(f"spend_{kind.name.lower()}", {"ctr": ctr})


def _terminal(spend: Spend) -> tuple[Detail, ...]:
    if not spend.terminal:
        return ()
    when = datetime.fromtimestamp(spend.time, UTC)
    facts: dict[str, Fact] = {
        "terminal": spend.terminal,
        "seq": spend.seq,
        "time": f"{when:%Y-%m-%d %H:%M} UTC",
    }
    return Detail("written_by", facts), Detail("day_spent", {"total": Money(spend.day_spent)})


def _grant(record: bytes, key: bytes | None) -> tuple[Detail, ...]:
    reader = Reader(record, EF_GRANT.name)
    head = Detail("grant", {"slot": reader.uint(1), "grant_seq": reader.uint(3)})
    if key is None:
        return (head,)
    signed = records.open_grant(key, record)
    if signed is None:
        return head, Detail("record_torn")
    grant = signed.grant
    facts: dict[str, Fact] = {
        "total": Money(grant.granted_total),
        "programme": grant.programme,
        "valid_from": day_date(grant.valid_from).isoformat(),
        "valid_to": day_date(grant.valid_to).isoformat(),
    }
    return head, Detail("granted", facts)
