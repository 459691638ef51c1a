"""Routes of terminals: enrolment, upload of the journal, the bundle."""

from fastapi import APIRouter, Request, Response

from backend.api.exchange import Caller, ExchangeOf
from backend.services.bundles import publish_bundle
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import EnrolmentRequest
from cardlib.wire.module_keys import KeyRequest
from cardlib.wire.service import (
    BUNDLE,
    ENROLMENTS,
    ENTRIES,
    MODULE_KEYS,
    MODULE_ORDERS,
    UPLOAD_SKEW_S,
)
from cardlib.wire.upload import Batch

router = APIRouter()


@router.post(ENROLMENTS)
async def enrol(request: Request, exchange: ExchangeOf) -> Response:
    """A new terminal, signed by the key that the request is about."""

    def handle(_caller: Caller, body: bytes) -> bytes:
        return exchange.backend.enrolment.enrol(body)

    return await exchange.answer(request, handle, key_in=_enrolled_key)


@router.post(ENTRIES)
async def submit_entries(request: Request, exchange: ExchangeOf) -> Response:
    """Entries of the caller's journal; idempotent, so a replay is harmless."""

    def handle(caller: Caller, body: bytes) -> bytes:
        terminal = caller.enrolled()
        return exchange.backend.ingest.submit(Batch.decode(body), terminal)

    return await exchange.answer(request, handle, skew_s=UPLOAD_SKEW_S, once=False)


@router.get(BUNDLE)
async def read_bundle(request: Request, exchange: ExchangeOf) -> Response:
    """The newest bundle."""

    def handle(caller: Caller, _body: bytes) -> bytes:
        caller.enrolled()
        backend = exchange.backend
        with backend.work.begin() as unit:
            bundle = publish_bundle(unit, backend.keys, backend.clock.unix_ms() // 1000)
            unit.commit()
        return bundle.complete

    return await exchange.answer(request, handle)


@router.post(MODULE_KEYS)
async def hand_out_keys(request: Request, exchange: ExchangeOf) -> Response:
    """Module keys of every key set in use, sealed to the caller; notes which it holds."""

    def handle(caller: Caller, body: bytes) -> bytes:
        return exchange.backend.key_sets.hand_out(KeyRequest.decode(body), caller.enrolled())

    return await exchange.answer(request, handle)


@router.post(MODULE_ORDERS)
async def renew_allowance(request: Request, exchange: ExchangeOf) -> Response:
    """A module card says how far it is; what it may debit from now on."""

    def handle(caller: Caller, body: bytes) -> bytes:
        return exchange.backend.modules.answer(body, caller.enrolled())

    return await exchange.answer(request, handle)


def _enrolled_key(body: bytes) -> PublicKey | None:
    return EnrolmentRequest.open(body).public_key
