"""Finding and reading a purse, freshly (PROTOCOL 2, commands 1 to 6 of a sale)."""

from collections.abc import Iterable
from dataclasses import dataclass

from cardlib.codec.commands import get_challenge, give_random, read_info, select, select_purse
from cardlib.codec.files import DF_BUONO_FIRST, DF_BUONO_LAST, DF_SERVICES, EF_GRANT, EF_SPEND
from cardlib.codec.purse import Info
from cardlib.codec.status import Status
from cardlib.dialogues.purse_state import PurseState, agrees, build_state, genuine_grant
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import CardAnswerError, PurseRefusedError
from cardlib.keys.module import GrantReading, ModuleSession, SecurityModule, SpendReading
from cardlib.keys.secure_messaging import read_record_command
from cardlib.keys.trust import Trust
from cardlib.wire.ids import TRAINING_ISSUER

CHALLENGE_BYTES = 8


@dataclass(slots=True)
class OpenPurse:
    """A selected purse with a module session over fresh randoms on both sides."""

    info: Info
    directory: int
    session: ModuleSession
    spends: list[SpendReading]
    grants: dict[int, GrantReading]


def find_purse(
    module: SecurityModule, first: int = DF_BUONO_FIRST, *, training: bool = False
) -> Dialogue[tuple[int, Info]]:
    """Selects the first directory from ``first`` upward whose issuer is served.

    PurseRefusedError ``PURSE_NOT_SERVED`` when there are purses but none of
    ours, ``PURSE_MISSING`` when a CRS has none, ``CARD_NOT_CRS`` for other cards,
    ``PURSE_UNKNOWN_VERSION`` when one that is not understood might have been ours.
    """
    unknown: PurseRefusedError | None = None
    for directory in range(first, DF_BUONO_LAST + 1):
        answer = yield from send(select_purse(directory))
        if answer.status == Status.FILE_NOT_FOUND:
            break
        if not answer.ok:
            raise PurseRefusedError("CARD_NOT_CRS")
        try:
            info = Info.decode((yield from send_all(read_info()))[0].data)
        except PurseRefusedError as error:
            unknown = error  # another town's may be of a newer kind
            continue
        if (info.issuer == TRAINING_ISSUER) == training and module.serves(info):
            return directory, info
    if unknown is not None:
        raise unknown
    if directory > DF_BUONO_FIRST:
        raise PurseRefusedError("PURSE_NOT_SERVED")
    services = yield from send(select((DF_SERVICES,)))
    raise PurseRefusedError("PURSE_MISSING" if services.ok else "CARD_NOT_CRS")


def open_purse(
    module: SecurityModule, first: int = DF_BUONO_FIRST, *, training: bool = False
) -> Dialogue[OpenPurse]:
    """Finds a purse, then GET CHALLENGE and GIVE RANDOM of a new module session."""
    directory, info = yield from find_purse(module, first, training=training)
    return (yield from open_found(module, directory, info))


def open_found(module: SecurityModule, directory: int, info: Info) -> Dialogue[OpenPurse]:
    """GET CHALLENGE and GIVE RANDOM for the purse that :func:`find_purse` has selected."""
    (answer,) = yield from send_all(get_challenge())
    if len(answer.data) != CHALLENGE_BYTES:
        raise CardAnswerError(answer.status, "GET CHALLENGE")
    session = module.open(info, answer.data)
    yield from send_all(give_random(session.random))
    return OpenPurse(info, directory, session, [], {})


def read_spend(purse: OpenPurse, index: int) -> Dialogue[SpendReading]:
    """One EF.SPEND record, its answer MAC verified."""
    command = read_record_command(index, EF_SPEND.read_p2, EF_SPEND.record_size)
    return purse.session.open_spend(index, (yield from send(command)))


def read_newest(purse: OpenPurse) -> Dialogue[None]:
    """Reads from #1 to the first record that is neither torn nor empty.

    PurseRefusedError ``PURSE_NO_RECORD`` when there is none, ``CARD_BEING_RENEWED`` when
    it is of another key set than EF.INFO names.
    """
    for index in range(1, EF_SPEND.records + 1):
        reading = yield from read_spend(purse, index)
        purse.spends.append(reading)
        if reading.other_set:
            raise PurseRefusedError("CARD_BEING_RENEWED")
        if reading.spend is not None:
            return
    raise PurseRefusedError("PURSE_NO_RECORD")


def read_grants(purse: OpenPurse, numbers: Iterable[int]) -> Dialogue[None]:
    """The grant records ``numbers`` that were not read yet."""
    for number in numbers:
        if number not in purse.grants:
            command = read_record_command(number, EF_GRANT.read_p2, EF_GRANT.record_size)
            answer = yield from send(command)
            purse.grants[number] = purse.session.open_grant(number, answer)


def mapped_records(info: Info) -> list[int]:
    """Record numbers that the map names; the map is a hint that nobody has signed."""
    return [number for number in range(1, 9) if info.record_map >> (number - 1) & 1]


def read_wallets(purse: OpenPurse, trust: Trust) -> Dialogue[None]:
    """The records that the map names; all eight when it is 00 or names no live grant.

    After a load that was torn before its map, the map names the superseded grant: spent
    may be above it by now, which is no reason to refuse the card.
    """
    numbers = mapped_records(purse.info)
    yield from read_grants(purse, numbers)
    if not numbers or not all(_looks_live(purse, number, trust) for number in numbers):
        yield from read_all_grants(purse)


def _looks_live(purse: OpenPurse, number: int, trust: Trust) -> bool:
    signed, spend = genuine_grant(purse.grants[number], purse.info, trust), purse.spends[-1].spend
    return signed is not None and spend is not None and agrees(signed.grant, spend)


def read_all_grants(purse: OpenPurse) -> Dialogue[None]:
    """All eight: needed before anybody is told that a slot has no wallet."""
    yield from read_grants(purse, range(1, EF_GRANT.records + 1))


def state_of(purse: OpenPurse, trust: Trust) -> PurseState:
    """The state that the readings so far add up to."""
    complete = len(purse.grants) == EF_GRANT.records
    return build_state(
        purse.info, purse.directory, purse.spends, purse.grants, trust, complete=complete
    )


def read_back(purse: OpenPurse, below_ctr: int) -> Dialogue[list[SpendReading]]:
    """From #1 down to the first record with a counter below ``below_ctr``, or to #20."""
    readings: list[SpendReading] = []
    for index in range(1, EF_SPEND.records + 1):
        reading = yield from read_spend(purse, index)
        readings.append(reading)
        if reading.spend is not None and reading.spend.ctr < below_ctr:
            break
    return readings
