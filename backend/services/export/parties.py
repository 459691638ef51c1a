"""Who: the operator, issuers, merchants, tills and purses."""

from collections.abc import Iterator

from backend.adapters.tables.acts import PurseBlockRow
from backend.services.export.naming import Naming, Row
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.ids import TRAINING_ISSUER


def operator(naming: Naming) -> Iterator[Row]:
    """Who runs the service, and its public key."""
    public = PublicKey(naming.unit.programmes.operator().public_key)
    yield {"kid": public.kid.hex(), "public_key": public.raw.hex()}


def issuer_keys(naming: Naming) -> Iterator[Row]:
    """The grant keys of the municipalities."""
    for town, key in naming.unit.programmes.issuer_keys():
        if town.issuer != TRAINING_ISSUER:
            yield {
                "issuer": town.issuer.hex(), "key_id": key.key_id,
                "public_key": key.public_key.hex(),
            }  # fmt: skip


def merchants(naming: Naming) -> Iterator[Row]:
    """Who is paid."""
    for row in naming.unit.terminals.merchants():
        yield {"merchant": row.id, "name": row.name, "iban": row.iban}


def terminals(naming: Naming) -> Iterator[Row]:
    """The tills, less those for training."""
    for row in naming.terminals:
        yield {
            "terminal": row.number, "merchant": row.merchant_id,
            "public_key": row.public_key.hex(), "certificate": row.certificate.hex(),
        }  # fmt: skip


def purses(naming: Naming) -> Iterator[Row]:
    """The purses and their blocks."""
    blocks_of: dict[int, list[PurseBlockRow]] = {}
    for block in naming.unit.acts.blocks():
        blocks_of.setdefault(block.purse_id, []).append(block)
    for row in naming.purses.values():
        blocks = [
            {
                "block": item.id,
                "code": item.code,
                "from": item.blocked_at,
                "to": item.ended_at,
                "by": item.recorded_by,
                "ended_by": item.ended_by,
                "end_approved_by": item.end_approved_by,
            }
            for item in blocks_of.get(row.id, ())
        ]
        yield naming.purse(row.id) | {"info_core": row.info_core.hex(), "blocks": blocks}
