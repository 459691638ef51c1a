"""Whether the service answers: for monitors, unsigned."""

from typing import Any

from fastapi import APIRouter

from backend.api.exchange import ExchangeOf

router = APIRouter()


@router.get("/v1/health")
def health(exchange: ExchangeOf) -> dict[str, Any]:
    """The time, and the head of the ledger, read from the database."""
    with exchange.service.work.read() as unit:
        transfer, digest = unit.ledger.head()
    return {
        "status": "ok",
        "time": exchange.service.clock.unix_ms() // 1000,
        "ledger_head": {"transfer": transfer, "hash": digest.hex()},
    }
