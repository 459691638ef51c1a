"""The change of a purse's key set, driven by the backend through any station (PROTOCOL 2).

In this order: the keys 03 04 05 06 02 09 08 07, each under K_AC and K_AE; every live grant
signed anew for the new INFO core, read back attested, and what it replaces overwritten;
bytes 12 to 15 of EF.INFO; an init record with the next counter, the same totals and
``prev``, for which the chip demands the citizen's PIN; the record map.

From the first key until the init record is written no till sells from the purse: one
that holds both key sets says ``CARD_BEING_RENEWED``. Torn anywhere, the next session goes
on: keys are changed again under the old and then the new K_AC, grants that were signed are
sent again.
"""

from dataclasses import dataclass
from typing import Protocol

from cardlib.codec.apdu import Command
from cardlib.codec.commands import get_challenge, tries_left
from cardlib.codec.files import EF_GRANT, EF_INFO, EF_SPEND_APPEND_P2, KeyId
from cardlib.codec.purse import INFO_CORE_SIZE, Info, Spend
from cardlib.codec.status import pin_tries_left
from cardlib.dialogues.administration import COMMAND_CHANGED, ENCIPHER_CHANGED
from cardlib.dialogues.attested import AttestedSpend, read_record, read_spends
from cardlib.dialogues.changing_purse import ChangingPurse, ChangingState
from cardlib.dialogues.find import find_purse
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import AuthenticityError, CardAnswerError, PinBlockedError, PinError
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.ports import Randomness

_WAYS = {
    KeyId.ADMIN_ENCIPHER: ENCIPHER_CHANGED,
    KeyId.ADMIN_COMMAND: COMMAND_CHANGED,
}
CORE_CHANGES = slice(12, INFO_CORE_SIZE)
"""What of EF.INFO is ever rewritten: suite and flags, key set, expiry."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyChange:
    """From which key set to which; what earlier sessions have done for certain."""

    old: Info
    new: Info
    old_keys: PurseKeys
    new_keys: PurseKeys
    keys_changed: bool = False
    core_changed: bool = False


@dataclass(frozen=True, slots=True)
class GrantMove:
    """A record of EF.GRANT, 1 to 8, and the grant that goes into it; None empties it."""

    number: int
    signed: SignedGrant | None


@dataclass(frozen=True, slots=True)
class KeyChangePlan:
    """What follows once the keys are changed; ``init`` is None when it is there already."""

    moves: tuple[GrantMove, ...]
    init: Spend | None
    record_map: int


class KeyChangeAuthority(Protocol):
    """Who decides and keeps the books: the backend's ledger.

    After each call that reports something the caller of the dialogue makes it
    durable before the next volley leaves.
    """

    def change(self, info: Info) -> KeyChange | None:
        """The change that this purse is to make or to finish; None: not a purse of ours."""
        ...

    def begin(self, state: ChangingState) -> None:
        """Compares with the ledger; raises to refuse, then nothing is written."""
        ...

    def keys_changed(self) -> None:
        """The card holds all eight new keys."""
        ...

    def sign(self, state: ChangingState) -> KeyChangePlan:
        """Compares again and signs: no till can have sold in between."""
        ...

    def core_changed(self) -> None:
        """The grants were read back, and EF.INFO names the new key set."""
        ...

    def initialised(self, init: AttestedSpend) -> None:
        """The init record, attested under the new K_TC: the purse sells again."""
        ...


def change_key_set(
    authority: KeyChangeAuthority, randomness: Randomness
) -> Dialogue[ChangingState]:
    """The whole change, or what is left of it.

    PinError ``PIN_NEEDED`` when the station does not present the PIN; otherwise errors as
    a load's. What the card attested last is returned.
    """
    _info, change = yield from find_purse(authority.change)
    purse = ChangingPurse(change.old, change.new, change.old_keys, change.new_keys, randomness)
    state = yield from purse.read_state()
    if change.new.pin_enforced and not state.has_init:
        yield from _present_pin()
    authority.begin(state)
    if not change.keys_changed:
        yield from _change_keys(purse, change)
        authority.keys_changed()
    state = yield from purse.read_again(state)
    plan = authority.sign(state)
    for move in plan.moves:
        yield from _write_grant(purse, move)
    if not change.core_changed:
        yield from _write_info(purse, 12, change.new.core[CORE_CHANGES])
        authority.core_changed()
    if plan.init is not None:
        yield from purse.read_newest_again(state)
        authority.initialised((yield from _write_init(purse, change, plan.init)))
    yield from _write_info(purse, INFO_CORE_SIZE, bytes((plan.record_map,)))
    return state


def _present_pin() -> Dialogue[None]:
    """Asks how many tries are left: the station presents the PIN in this command's place."""
    answer = yield from send(tries_left())
    if answer.ok:
        return
    tries = pin_tries_left(answer.status)
    if tries is None:
        raise CardAnswerError(answer.status, "VERIFY")
    raise PinBlockedError if tries == 0 else PinError("PIN_NEEDED")


def _change_keys(purse: ChangingPurse, change: KeyChange) -> Dialogue[None]:
    for key, value in _new_keys(change.new_keys):
        yield from purse.administer(Command(0x90, 0x24, 0x00, 0x80 | key, value))
        purse.advance(_WAYS.get(key, 0))


def _new_keys(keys: PurseKeys) -> tuple[tuple[KeyId, bytes], ...]:
    """In the order of PROTOCOL 2: what shops check first, the administration last."""
    return (
        (KeyId.DEBIT_RESPONSE, keys.debit.response),
        (KeyId.ATTEST, keys.attest),
        (KeyId.LOAD_COMMAND, keys.load_command),
        (KeyId.LOAD_RESPONSE, keys.load_response),
        (KeyId.DEBIT_COMMAND, keys.debit.command),
        (KeyId.ADMIN_ENCIPHER, keys.admin_encipher),
        (KeyId.ADMIN_RESPONSE, keys.admin_response),
        (KeyId.ADMIN_COMMAND, keys.admin_command),
    )


def _write_grant(purse: ChangingPurse, move: GrantMove) -> Dialogue[None]:
    """UPDATE RECORD, fresh random, READ attested, GET CHALLENGE: one round trip."""
    record, before = purse.seal_grant(move.signed), purse.random
    update = purse.load_write(Command(0x00, 0xDC, move.number, EF_GRANT.read_p2, record))
    answers = yield from send_all(
        update, purse.fresh_random(), read_record(EF_GRANT, move.number), get_challenge()
    )
    purse.require_loaded(update, answers[0], before)
    if purse.open_record(EF_GRANT, move.number, answers[2]).record != record:
        raise AuthenticityError("CARD_READ_BACK_DIFFERS", record=move.number)
    purse.challenged(answers[3])


def _write_info(purse: ChangingPurse, offset: int, content: bytes) -> Dialogue[None]:
    before = purse.random
    update = purse.load_write(Command(0x00, 0xD6, 0x80 | EF_INFO.sfi, offset, content))
    answers = yield from send_all(update, get_challenge(), purse.fresh_random())
    purse.require_loaded(update, answers[0], before)
    purse.challenged(answers[1])


def _write_init(purse: ChangingPurse, change: KeyChange, init: Spend) -> Dialogue[AttestedSpend]:
    """The record under K_DC, read back attested."""
    record = records.seal_spend(change.new_keys.debit.record, init)
    before = purse.random
    update = purse.spend_write(Command(0x00, 0xDC, 0x00, EF_SPEND_APPEND_P2, record))
    answers = yield from send_all(update, purse.fresh_random(), *read_spends([1]), get_challenge())
    purse.require_spent(update, answers[0], before)
    attested = purse.open_spend(1, answers[2])
    if attested.record != record:
        raise AuthenticityError("CARD_READ_BACK_DIFFERS", record=1)
    purse.challenged(answers[3])
    return attested
