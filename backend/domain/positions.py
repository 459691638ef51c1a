"""Where the money of a posting came from and where it lies; how it moves (PROTOCOL 7).

A *place* is a pair of accounts: the origin (a slot's account, or exposure for what
the slot lacked) and the holder (payable, suspense, refund due). A position is cents
by place, negative in a void. Moving from one position to the next touches no
account that both agree on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.domain.ledger import Account, AccountKind

Place = tuple[Account, Account]
Position = Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class Move:
    """Cents from one account to another."""

    source: Account
    target: Account
    cents: int


def moves(current: Position, wanted: Position) -> list[Move]:
    """What changes ``current`` into ``wanted``.

    In this order: between holders of the same origin; back to the origin (exposure
    first); between origins of the same holder; from the origin (the slot first).
    """
    places = list(dict.fromkeys([*current, *wanted]))
    change = {place: wanted.get(place, 0) - current.get(place, 0) for place in places}
    result = list(_between_holders(change))
    swaps = list(_between_origins(change))
    result += [
        Move(holder, origin, -cents)
        for (origin, holder), cents in _sorted(change, exposure_first=True)
        if cents < 0
    ]
    result += swaps
    result += [
        Move(origin, holder, cents)
        for (origin, holder), cents in _sorted(change, exposure_first=False)
        if cents > 0
    ]
    return result


def _sorted(change: Mapping[Place, int], *, exposure_first: bool) -> list[tuple[Place, int]]:
    def rank(item: tuple[Place, int]) -> bool:
        (origin, _holder), _cents = item
        return (origin.kind is AccountKind.EXPOSURE) != exposure_first

    return sorted(change.items(), key=rank)


def _between_holders(change: dict[Place, int]) -> Iterator[Move]:
    for losing, gaining, cents in _pairs(change, same=0):
        yield Move(losing[1], gaining[1], cents)


def _between_origins(change: dict[Place, int]) -> Iterator[Move]:
    """An origin that now pays what another had paid gives it to that one."""
    for losing, gaining, cents in _pairs(change, same=1):
        if losing[0].pot == gaining[0].pot:
            yield Move(gaining[0], losing[0], cents)


def _pairs(change: dict[Place, int], same: int) -> Iterator[tuple[Place, Place, int]]:
    """Settles losses against gains of places that share part ``same``, in ``change`` itself."""
    places = list(change)
    for losing in places:
        for gaining in places:
            cents = min(-change[losing], change[gaining])
            if losing[same] == gaining[same] and cents > 0 and losing[0].pot == gaining[0].pot:
                change[losing] += cents
                change[gaining] -= cents
                yield losing, gaining, cents


@dataclass(frozen=True, slots=True)
class Source:
    """An account that a slot's money comes from, and what it still holds."""

    account: Account
    available: int


def draw(
    cents: int, drawn: Mapping[Account, int], sources: Sequence[Source], exposure: Account,
    *, cover: bool,
) -> dict[Account, int]:  # fmt: skip
    """Which accounts pay ``cents``, given what each has ``drawn`` already.

    What was drawn stays as far as it is needed; more comes from ``sources`` in order,
    the missing part from ``exposure``. With ``cover`` the sources also take over what
    exposure has paid.
    """
    result = {account: amount for account, amount in drawn.items() if amount > 0}
    surplus = sum(result.values()) - cents
    for account in sorted(result, key=lambda account: account.kind is not AccountKind.EXPOSURE):
        returned = min(max(surplus, 0), result[account])
        result[account] -= returned
        surplus -= returned
    missing = max(-surplus, 0)
    if cover:
        missing += result.pop(exposure, 0)
    for source in sources:
        taken = min(source.available, missing)
        if taken > 0:
            result[source.account] = result.get(source.account, 0) + taken
            missing -= taken
    if missing:
        result[exposure] = result.get(exposure, 0) + missing
    return {account: amount for account, amount in result.items() if amount}


def take_back(cents: int, position: Position) -> dict[Place, int]:
    """The part of a sale's ``position`` that a void of ``cents`` undoes, exposure first."""
    result: dict[Place, int] = {}
    for place, amount in _sorted(position, exposure_first=True):
        taken = min(cents, amount)
        if taken > 0:
            result[place] = taken
            cents -= taken
    return result
