"""Personalisation: a purse directory made on a stock card, under its transport keys.

Profile: docs/card-profile.md. Nothing secret is sent before the card's answer to
CREATE FILE has proved, by its MAC, that it holds the transport keys of the
stock file. Until ACTIVATE FILE a torn personalisation starts anew by itself; a
card torn after it, before the receipt, is recognised by its purse number and
only asked for the receipt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from cardlib.codec import tlv
from cardlib.codec.apdu import Command
from cardlib.codec.commands import (
    get_challenge,
    read_info,
    select,
    select_purse,
)
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_SERVICES,
    EF_INFO,
    EF_SPEND_APPEND_P2,
    PURSE_FILES,
    KeyId,
    PinReference,
    PurseChip,
    PurseFile,
    Structure,
)
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info, Spend, Suite
from cardlib.codec.status import Status
from cardlib.codec.tlv import Tlv
from cardlib.dialogues.attested import AttestedPurse, AttestedSpend, read_spends
from cardlib.dialogues.blank_card import BlankCard, look
from cardlib.dialogues.secured import SecuredWriter
from cardlib.dialogues.volley import Dialogue, send_all
from cardlib.errors import AuthenticityError, CardAnswerError
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.suites import suite_of
from cardlib.ports import Randomness

PIN_TRIES = 3
PUK_TRIES = 10
_KEY_CLASS, _PIN_CLASS, _NO_COUNTER = 0x20, 0x00, 0xFF
_ID_MASK = 0x1F
_FCP, _FREE_ACCESS = 0x62, bytes(9)


@dataclass(frozen=True, slots=True, repr=False)
class TransportKeys:
    """AES keys 0A, 0B and 0C of a stock card, 16 bytes each."""

    command: bytes
    response: bytes
    encipher: bytes


@dataclass(frozen=True, slots=True, repr=False)
class PursePlan:
    """Everything that goes onto the card; ``init`` is the first EF.SPEND record."""

    info: Info
    keys: PurseKeys
    transport: TransportKeys
    pin: Pin
    puk: Pin
    init: Spend
    chip: PurseChip = PurseChip.FILE


class PersonalisationAuthority(Protocol):
    """Who knows the stock and makes purses: the backend."""

    def plan(self, card: BlankCard) -> PursePlan:
        """The purse for this card: always the same one, once it was begun with.

        Raises to refuse; then nothing has been written. The purse must be on record
        before this returns, since from here on it may come to be.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """The card's own proof, under K_TC, that the purse is there."""

    info: Info
    directory: int
    init: AttestedSpend


def personalise(authority: PersonalisationAuthority, randomness: Randomness) -> Dialogue[Receipt]:
    """Looks at the card, makes the purse unless it is there already, ends with the receipt.

    AuthenticityError ``TRANSPORT_KEY_WRONG`` when card and stock file do not
    belong together; CardAnswerError when the card refuses a command.
    """
    card = yield from look()
    plan = authority.plan(card)
    if plan.info in card.purses:
        directory = DF_BUONO_FIRST + card.purses.index(plan.info)
    else:
        directory = card.next_directory
        yield from _make(plan, directory, randomness)
    return (yield from receipt(plan, directory, randomness))


def _make(plan: PursePlan, directory: int, randomness: Randomness) -> Dialogue[None]:
    keys = plan.transport
    writer = SecuredWriter(suite_of(Suite.AES_128), keys.command, keys.response, randomness)
    answers = yield from send_all(select((DF_SERVICES,)), get_challenge(), writer.fresh_random())
    writer.challenged(answers[1])
    yield from _create_directory(writer, directory)
    for item in _secrets(plan):
        yield from _write(writer, _put_data(item), keys.encipher)
    for file in PURSE_FILES:
        yield from _write(writer, create_file(file_template(file)))
    for command in _contents(plan):
        yield from _write(writer, command)
    yield from _write(writer, Command(0x00, 0x44, 0x00, 0x00))


def _create_directory(writer: SecuredWriter, directory: int) -> Dialogue[None]:
    try:
        yield from _write(writer, create_file(directory_template(directory)))
    except CardAnswerError as error:
        if error.status == Status.SM_OBJECT_WRONG:
            raise AuthenticityError("TRANSPORT_KEY_WRONG") from error
        raise
    except AuthenticityError as error:
        raise AuthenticityError("TRANSPORT_KEY_WRONG") from error


def _write(
    writer: SecuredWriter, plain: Command, encipher_key: bytes | None = None
) -> Dialogue[None]:
    """One secured write, its answer checked before the next one is even built."""
    before, update = writer.random, writer.secured(plain, encipher_key)
    answers = yield from send_all(update, get_challenge(), writer.fresh_random())
    writer.require_written(update, answers[0], before)
    writer.challenged(answers[1])


def receipt(plan: PursePlan, directory: int, randomness: Randomness) -> Dialogue[Receipt]:
    """A fresh selection and the attested init record; AuthenticityError unless it is ours."""
    purse = AttestedPurse(plan.info, plan.keys, randomness)
    answers = yield from send_all(
        select_purse(directory), read_info(), *purse.opening(), *read_spends([1])
    )
    init = purse.open_spend(1, answers[5])
    record = records.seal_spend(plan.keys.debit.record, plan.init)
    if answers[1].data != bytes(plan.info) or init.record != record:
        raise AuthenticityError("CARD_READ_BACK_DIFFERS", record=1)
    return Receipt(plan.info, directory, init)


# What is written --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class _Secret:
    """A key, PIN or PUK object; ``tries`` FF for none counted."""

    kind: int
    id: int
    tries: int
    body: bytes


def _secrets(plan: PursePlan) -> Iterator[_Secret]:
    keys = plan.keys
    bodies = {
        KeyId.DEBIT_COMMAND: keys.debit.command,
        KeyId.DEBIT_RESPONSE: keys.debit.response,
        KeyId.ATTEST: keys.attest,
        KeyId.LOAD_COMMAND: keys.load_command,
        KeyId.LOAD_RESPONSE: keys.load_response,
        KeyId.ADMIN_COMMAND: keys.admin_command,
        KeyId.ADMIN_RESPONSE: keys.admin_response,
        KeyId.ADMIN_ENCIPHER: keys.admin_encipher,
    }
    if plan.chip is PurseChip.APPLET:
        bodies[KeyId.RECORD] = keys.debit.record
    for key, body in bodies.items():
        yield _Secret(_KEY_CLASS, key, _NO_COUNTER, body)
    yield _Secret(_PIN_CLASS, PinReference.PURSE_PIN & _ID_MASK, PIN_TRIES, plan.pin.block)
    yield _Secret(_PIN_CLASS, PinReference.PURSE_PUK & _ID_MASK, PUK_TRIES, plan.puk.block)


def _put_data(secret: _Secret) -> Command:
    """PUT DATA of one object: ``83 02 class id · 85 01 tries · 8F L body`` in clear."""
    objects = (
        Tlv(0x83, bytes((secret.kind, secret.id))),
        Tlv(0x85, bytes((secret.tries,))),
        Tlv(0x8F, secret.body),
    )
    return Command(0x00, 0xDA, 0x01, 0x6E, tlv.encode(objects))


def _contents(plan: PursePlan) -> Iterator[Command]:
    yield Command(0x00, 0xD6, 0x80 | EF_INFO.sfi, 0x00, bytes(plan.info))
    record = records.seal_spend(plan.keys.debit.record, plan.init)
    yield Command(0x00, 0xDC, 0x00, EF_SPEND_APPEND_P2, record)


def create_file(template: bytes) -> Command:
    """CREATE FILE with a file control template (``62 …``)."""
    return Command(0x00, 0xE0, 0x00, 0x00, template)


def directory_template(directory: int) -> bytes:
    """The template of a DF.BUONO."""
    return _template(Tlv(0x82, bytes((Structure.DF, 0xFF))), directory, _FREE_ACCESS)


def file_template(file: PurseFile) -> bytes:
    """The template of a purse file: size, descriptor, id, access, short id."""
    descriptor = bytes((file.structure,))
    if file.structure is not Structure.TRANSPARENT:
        descriptor += b"\x01" + file.record_size.to_bytes(2, "big") + bytes((file.records,))
    return _template(
        Tlv(0x82, descriptor),
        file.fid,
        file.access,
        before=(Tlv(0x80, file.size.to_bytes(2, "big")),),
        after=(Tlv(0x88, bytes((file.sfi << 3,))),),
    )


def _template(
    descriptor: Tlv,
    fid: int,
    access: bytes,
    before: tuple[Tlv, ...] = (),
    after: tuple[Tlv, ...] = (),
) -> bytes:
    common = (Tlv(0x83, fid.to_bytes(2, "big")), Tlv(0x85, b"\x01"), Tlv(0x86, access))
    return bytes(Tlv(_FCP, tlv.encode((*before, descriptor, *common, *after))))
