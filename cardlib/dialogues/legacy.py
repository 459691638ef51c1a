"""A sale on a legacy chip: the challenge comes last, the certificate from an oracle.

SELECT · INFO · GIVE RANDOM · READ SPEND · READ GRANT · VERIFY · GET CHALLENGE · UPDATE · READ
SPEND · INTERNAL AUTHENTICATE: ten commands, 452 bytes. EF.INFO says with flag 40 clear that
the chip cannot attest (docs/card-profile.md, *The legacy chip*).
"""

from cardlib.codec.commands import (
    CHALLENGE_SIZE,
    get_challenge,
    give_random,
    internal_authenticate,
)
from cardlib.codec.purse import Info
from cardlib.dialogues.read import OpenPurse, read_spend
from cardlib.dialogues.sale import CommitOutcome, commit
from cardlib.dialogues.volley import Dialogue, send_all
from cardlib.errors import CardAnswerError
from cardlib.keys.attestation import oracle_digest
from cardlib.keys.module import LegacyModule, LegacySession
from cardlib.wire.entry_body import AttestedRead

CODE_SIZE = 8


def open_legacy(
    module: LegacyModule, info: Info, directory: int, limit_cents: int
) -> Dialogue[tuple[OpenPurse, LegacySession]]:
    """GIVE RANDOM of a new module session that writes no sale above ``limit_cents``."""
    session = module.open_legacy(info, limit_cents)
    yield from send_all(give_random(session.random))
    return OpenPurse(info, directory, session, [], {}), session


def commit_legacy(
    purse: OpenPurse, session: LegacySession, intent: bytes
) -> Dialogue[CommitOutcome]:
    """GET CHALLENGE, then the UPDATE. Whatever it raises means that nothing was sent."""
    (answer,) = yield from send_all(get_challenge())
    if len(answer.data) != CHALLENGE_SIZE:
        raise CardAnswerError(answer.status, "GET CHALLENGE")
    session.challenged(answer.data)
    return (yield from commit(purse, session.update_spend(intent)))


def authenticate(purse: OpenPurse, index: int) -> Dialogue[AttestedRead]:
    """A record read under K_DR, and the chip's answer over its digest: no proof of it."""
    reading = yield from read_spend(purse, index)
    random = purse.session.random
    (answer,) = yield from send_all(internal_authenticate(oracle_digest(random, reading.record)))
    if len(answer.data) != CODE_SIZE:
        raise CardAnswerError(answer.status, "INTERNAL AUTHENTICATE")
    return AttestedRead(index, reading.record, random, answer.data)
