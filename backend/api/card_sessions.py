"""Routes of card sessions: a station asks for work on the card that it holds."""

from fastapi import APIRouter, Request, Response

from backend.api.exchange import Caller, ExchangeOf
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from cardlib.wire.service import CARD_SESSIONS, card_session_answers

router = APIRouter()


@router.post(CARD_SESSIONS)
async def open_session(request: Request, exchange: ExchangeOf) -> Response:
    """A new session with its first commands; one that is never answered binds nothing."""

    def handle(caller: Caller, body: bytes) -> bytes:
        opening = SessionOpening.decode(body)
        return exchange.backend.card_sessions.open(caller.enrolled(), opening).encode()

    return await exchange.answer(request, handle)


@router.post(card_session_answers("{session}"))
async def take_step(request: Request, session: str, exchange: ExchangeOf) -> Response:
    """The next commands, or the outcome; the same answers again get the same answer."""

    def handle(caller: Caller, body: bytes) -> bytes:
        answers = SessionAnswers.decode(body)
        return exchange.backend.card_sessions.step(caller.enrolled(), session, answers).encode()

    return await exchange.answer(request, handle)
