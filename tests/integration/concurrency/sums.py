"""The books added up by plain SQL, past all of the service's own code."""

import sqlite3
from contextlib import closing

import psycopg
from sqlalchemy import make_url

from tests.databases import Databases

Rows = list[tuple[object, ...]]

_LINKS_BROKEN = """
    SELECT id FROM (
        SELECT id, prev_hash, lag(hash) OVER (ORDER BY id) AS before FROM transfer
    ) AS chain
    WHERE before IS NOT NULL AND before <> prev_hash
"""
_BALANCES_OFF = """
    SELECT account.code, balance_cents, moved.cents
    FROM account LEFT JOIN (
        SELECT account_id, sum(cents) AS cents FROM (
            SELECT target_id AS account_id, cents FROM transfer
            UNION ALL SELECT source_id, -cents FROM transfer
        ) AS movements GROUP BY account_id
    ) AS moved ON moved.account_id = account.id
    WHERE balance_cents <> coalesce(moved.cents, 0)
"""
_POSTED_TWICE = """
    SELECT purse_id, ctr, count(*) FROM posting WHERE live
    GROUP BY purse_id, ctr HAVING count(*) > 1
"""
_BOOKED_TWICE = """
    SELECT kind, ref_kind, ref_id, source_id, target_id, count(*) FROM transfer
    GROUP BY kind, ref_kind, ref_id, source_id, target_id HAVING count(*) > 1
"""
_JOURNALS_WITH_GAPS = """
    SELECT terminal, count(*), max(seq) FROM entry GROUP BY terminal HAVING count(*) <> max(seq)
"""
_OWED_BY_TRANSFERS = """
    SELECT merchant_id, sum(moved.cents) FROM account JOIN (
        SELECT target_id AS account_id, cents FROM transfer
        UNION ALL SELECT source_id, -cents FROM transfer
    ) AS moved ON moved.account_id = account.id
    WHERE account.kind = 'payable' GROUP BY merchant_id
"""
_OWED_BY_PARTS = """
    SELECT posting.merchant_id, sum(posting_part.cents)
    FROM posting JOIN posting_part ON posting_part.posting_id = posting.id
    JOIN account ON account.id = posting_part.holder_id
    WHERE posting.live AND account.kind = 'payable' GROUP BY posting.merchant_id
"""


def ask(databases: Databases, question: str) -> Rows:
    """The rows of a question to the database of the running test."""
    address = make_url(databases.url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database))) as file:
            return list(file.execute(question))
    with psycopg.connect(
        host=str(address.query["host"]), user=address.username, dbname=address.database
    ) as connection:
        return list(connection.execute(question.encode()))


def count(databases: Databases, table: str) -> int:
    ((number,),) = ask(databases, f"SELECT count(*) FROM {table}")
    assert isinstance(number, int)
    return number


def assert_whole(databases: Databases) -> None:
    """No gap, no broken link, no posting twice, and every balance is the sum of its moves."""
    ((number, first, last),) = ask(databases, "SELECT count(*), min(id), max(id) FROM transfer")
    assert (first, last) == (1, number)
    questions = (_LINKS_BROKEN, _BALANCES_OFF, _POSTED_TWICE, _BOOKED_TWICE, _JOURNALS_WITH_GAPS)
    for question in questions:
        assert ask(databases, question) == [], question


def owed(databases: Databases) -> dict[object, int]:
    """Cents payable to each merchant: by transfers, which the parts of postings must confirm."""
    by_transfers, by_parts = (
        {merchant: int(str(cents)) for merchant, cents in ask(databases, question)}
        for question in (_OWED_BY_TRANSFERS, _OWED_BY_PARTS)
    )
    assert by_transfers == by_parts
    return by_transfers
