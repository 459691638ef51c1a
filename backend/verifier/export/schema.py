"""The files of an export and their fields, as docs/export-format.md defines them.

Each field has a reader that turns a JSON value into what the verifier works
with, or raises ValueError. Ids may be text or integers and are compared as text.
"""

from collections.abc import Callable, Mapping
from typing import Any

Reader = Callable[[Any], Any]
Fields = Mapping[str, Reader]

NUMBER_MAX = (1 << 53) - 1


def number(value: Any) -> int:
    """An integer, negative allowed, of at most 53 bits so that any JSON reader agrees."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > NUMBER_MAX:
        raise ValueError("an integer wanted")
    return value


def count(value: Any) -> int:
    """An integer from 0 up."""
    if number(value) < 0:
        raise ValueError("not below zero")
    return number(value)


def word(value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError("text wanted")
    return value


def name(value: Any) -> str:
    """An id: text or an integer, as text."""
    return word(value) if isinstance(value, str) else str(number(value))


def truth(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false wanted")
    return value


def octets(size: int | None = None) -> Reader:
    """Lower-case hex of ``size`` bytes, as bytes."""

    def read(value: Any) -> bytes:
        result = bytes.fromhex(word(value))
        if result.hex() != value or size not in (None, len(result)):
            raise ValueError(f"lower-case hex of {size or 'some'} bytes wanted")
        return result

    return read


def one_of(*words: str) -> Reader:
    """One of ``words``."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)} wanted")
        return word(value)

    return read


def maybe(reader: Reader) -> Reader:
    """``reader``, or null."""
    return lambda value: None if value is None else reader(value)


def some(reader: Reader, size: int | None = None) -> Reader:
    """A list of ``size``."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or size not in (None, len(value)):
            raise ValueError("a list wanted")
        return [reader(item) for item in value]

    return read


def record(fields: Fields, optional: Fields | None = None) -> Reader:
    """An object with these fields; others are ignored."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("an object wanted")
        result = {}
        for key, reader in {**fields, **(optional or {})}.items():
            if key not in value and key in fields:
                raise ValueError(f"{key} is missing")
            try:
                result[key] = reader(value[key]) if key in value else None
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
        return result

    return read


ISSUER, PURSE = octets(3), octets(8)
STATES = ("proven", "unproven", "contradicted", "none")
CLAIMS = ("payable", "suspense", "refund_due", "none")
ACCOUNT_KINDS = (
    "external", "fund", "committed", "loading", "on_card", "expired_pending", "expired", "blocked",
    "payable", "in_payment", "paid", "suspense", "refund_due", "exposure", "loss",
)  # fmt: skip
_POSTING = record(
    {"state": one_of(*STATES), "amount_open": truth, "claim": one_of(*CLAIMS)},
    {"reason": maybe(word), "live": maybe(truth)},
)
_LINE = record(
    {
        "entry": name, "amount_cents": number,
        "state": one_of("included", "suspended", "rejected", "postponed"),
    },
    {
        "replaces": maybe(name), "return": maybe(name), "sampled": maybe(truth),
        "reviewed_by": maybe(word), "reviewed_at": maybe(count),
    },
)  # fmt: skip
_RULE = record({"from_cents": count, "sample_permille": count, "approvals": count})
_REVIEW = record({"seed": octets(16), "sample_permille": count, "begun_by": word})
_AGREED = record({"by": word}, {"at": maybe(count)})
_BLOCK = record(
    {"block": name, "code": word, "from": count, "to": maybe(count)},
    {"ended_by": maybe(name), "end_approved_by": maybe(name)},
)
_RECOVERY = record(
    {"begun_at": count},
    {
        "begun_by": maybe(word), "ended_at": maybe(count), "requested_by": maybe(word),
        "approved_by": maybe(word),
    },
)  # fmt: skip
_APPROVAL = {"approved_by": maybe(name), "approved_at": maybe(count)}

FILES: Mapping[str, Reader] = {
    "operator.jsonl": record({"kid": octets(8), "public_key": octets(32)}),
    "issuers.jsonl": record(
        {"issuer": ISSUER, "key_id": count, "public_key": octets(32)}
    ),
    "merchants.jsonl": record({"merchant": name, "name": word, "iban": maybe(word)}),
    "terminals.jsonl": record(
        {"terminal": count, "merchant": name, "public_key": octets(32), "certificate": octets()}
    ),
    "purses.jsonl": record(
        {"issuer": ISSUER, "purse": PURSE, "info_core": octets(16)},
        {"blocks": maybe(some(_BLOCK))},
    ),
    "fundings.jsonl": record(
        {
            "funding": name, "municipality": name, "programme": count, "funding_source": name,
            "amount_cents": number,
        }
    ),
    "awards.jsonl": record(
        {
            "award": name, "municipality": name, "programme": count, "funding_source": name,
            "amount_cents": count, "withdrawn_cents": count, **_APPROVAL,
        },
        {"requested_by": maybe(name), "act": maybe(word)},
    ),
    "orders.jsonl": record(
        {
            "order": name, "source": one_of("award", "refund", "replacement"),
            "award": maybe(name), "issuer": ISSUER, "purse": PURSE, "slot": count,
            "programme": count, "funding_source": name, "delta_cents": count,
            "carried_over_cents": count, "state": word, **_APPROVAL,
        },
        {"source_ref": maybe(name), "requested_by": maybe(name)},
    ),
    "grants.jsonl": record(
        {
            "order": name, "issuer": ISSUER, "purse": PURSE, "info_core": octets(16),
            "grant": octets(27), "signature": octets(64),
            "state": one_of("loading", "on_card", "superseded", "void"),
            "confirmed_by": maybe(name),
        }
    ),
    "entries.jsonl": record(
        {
            "terminal": maybe(count), "seq": maybe(count), "bytes": maybe(octets()),
            "verdict": one_of("accepted", "quarantined"), "posting": maybe(_POSTING),
        },
        {"hash": maybe(octets(32)), "reason": maybe(word), "received_at": maybe(count)},
    ),
    "attestations.jsonl": record(
        {
            "issuer": ISSUER, "purse": PURSE, "ctr": count, "record": octets(54),
            "record_hash": octets(32), "totals": maybe(some(count, 6)),
            "source": one_of("sale_entry", "card_session", "proof_entry"),
        },
        {"source_ref": maybe(name)},
    ),
    "acknowledgements.jsonl": record({"terminal": count, "bytes": octets()}),
    "accounts.jsonl": record(
        {
            "account": name, "kind": one_of(*ACCOUNT_KINDS), "municipality": name,
            "programme": count, "funding_source": name, "issuer": maybe(ISSUER),
            "purse": maybe(PURSE), "slot": maybe(count), "merchant": maybe(name),
        },
        {"case": maybe(name)},
    ),
    "transfers.jsonl": record(
        {
            "id": count, "kind": word, "from": name, "to": name, "amount_cents": number,
            "event_time": count, "booked_at": count, "ref": record({"kind": word, "id": name}),
            "prev_hash": octets(32), "hash": octets(32),
        }
    ),
    "cases.jsonl": record(
        {
            "case": name, "amount_cents": count, "state": one_of("open", "closed"),
            "decided_by": maybe(name),
        },
        {"entry": maybe(name), "document": maybe(name), "approved_by": maybe(name)},
    ),
    "statements.jsonl": record(
        {
            "statement": name, "merchant": name, "total_cents": number,
            "lines": some(
                record({"entry": name, "amount_cents": number}, {"return": maybe(name)})
            ),
        }
    ),
    "batches.jsonl": record(
        {
            "batch": name, "merchant": name, "state": word, "total_cents": number,
            "period_from": count, "period_to": count,
            "lines": some(_LINE),
        },
        {
            "created_by": maybe(word), "rule": maybe(_RULE), "review": maybe(_REVIEW),
            "approvals": maybe(some(_AGREED)),
        },
    ),
    "payments.jsonl": record(
        {
            "payment": name, "batch": name, "end_to_end_id": word, "amount_cents": number,
            "state": one_of("created", "sent", "paid", "failed"), "outcome_ref": maybe(name),
        }
    ),
    "given_statements.jsonl": record(
        {
            "given": name, "merchant": name, "issued_at": count, "hash": octets(32),
            "ledger_head": record({"transfer": count, "hash": octets(32)}),
        }
    ),
    "returns.jsonl": record(
        {
            "return": name, "entry": name, "issuer": ISSUER, "purse": PURSE, "slot": count,
            "municipality": name, "programme": count, "funding_source": name, "merchant": name,
            "amount_cents": count, "requested_by": maybe(name), "approved_by": maybe(name),
            "repaid_ref": maybe(word),
        }
    ),
}  # fmt: skip

OPTIONAL = frozenset({"returns.jsonl", "given_statements.jsonl"})
"""Files that older exports do not have."""

EVIDENCE = record(
    {"bytes": octets()},
    {"terminal": maybe(count), "merchant": maybe(name), "seq": maybe(count)},
)  # fmt: skip
"""What a shop kept: a statement when it names a merchant, an entry of its till's journal when
it has a number, else an acknowledgement."""

MANIFEST = record(
    {
        "format": number, "created_at": count, "operator": word, "currency": word,
        "ledger_head": record({"transfer": count, "hash": octets(32)}),
    },
    {"recoveries": maybe(some(_RECOVERY)), "left_out": maybe(some(ISSUER))},
)  # fmt: skip
