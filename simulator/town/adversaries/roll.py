"""The roll of adversaries, by the name that the threat model's page gives them.

Each is made anew for a town: ``ADVERSARIES["clone"]()``. A command writes hyphens for spaces.
"""

from collections.abc import Iterable, Mapping

from simulator.errors import TownError
from simulator.town.adversaries.adversary import Adversary
from simulator.town.adversaries.collusion import Collusion
from simulator.town.adversaries.debits_more import DebitsMore
from simulator.town.adversaries.echo_forgery import EchoForgery
from simulator.town.adversaries.emulated_purse import EmulatedPurse
from simulator.town.adversaries.fake_card import FakeCard
from simulator.town.adversaries.forged_predecessor import ForgedPredecessor
from simulator.town.adversaries.forked_journal import ForkedJournal
from simulator.town.adversaries.harvested_certificates import HarvestedCertificates
from simulator.town.adversaries.held_back_debit import HeldBackDebit
from simulator.town.adversaries.held_back_load import HeldBackLoad
from simulator.town.adversaries.insider_grant import InsiderGrant
from simulator.town.adversaries.invented_record import InventedRecord
from simulator.town.adversaries.old_grant import OldGrant
from simulator.town.adversaries.pin_wedge import PinWedgeThief
from simulator.town.adversaries.relay import RelayedCard
from simulator.town.adversaries.reopened_at_desk import ReopenedAtDesk
from simulator.town.adversaries.reopened_value import ReopenedValue
from simulator.town.adversaries.replayed_debit import ReplayedDebit
from simulator.town.adversaries.replayed_load import ReplayedLoad
from simulator.town.adversaries.rogue_load import RogueLoad
from simulator.town.adversaries.second_state import Clone, RolledBackImage
from simulator.town.adversaries.stale_read import StaleReadBoard
from simulator.town.adversaries.status_words import StatusWords
from simulator.town.adversaries.stolen_till import StolenTill
from simulator.town.adversaries.stolen_with_pin import StolenWithPin
from simulator.town.adversaries.two_tills import TwoTillsAtOnce
from simulator.town.adversaries.void_after_load import VoidAfterLoad

ADVERSARIES: Mapping[str, type[Adversary]] = {
    one.name: one
    for one in (
        StaleReadBoard,
        FakeCard,
        HarvestedCertificates,
        StatusWords,
        HeldBackDebit,
        PinWedgeThief,
        EmulatedPurse,
        RolledBackImage,
        Clone,
        TwoTillsAtOnce,
        OldGrant,
        ReplayedDebit,
        VoidAfterLoad,
        DebitsMore,
        RelayedCard,
        StolenWithPin,
        ForgedPredecessor,
        ReopenedValue,
        ReopenedAtDesk,
        ReplayedLoad,
        HeldBackLoad,
        InventedRecord,
        EchoForgery,
        ForkedJournal,
        RogueLoad,
        StolenTill,
        Collusion,
        InsiderGrant,
    )
}


def hyphened(name: str) -> str:
    """``stale-read`` for ``stale read``: a name as a command takes it."""
    return name.replace(" ", "-")


def as_commanded() -> list[str]:
    """All names as a command takes them, sorted."""
    return sorted(map(hyphened, ADVERSARIES))


def called(names: Iterable[str]) -> list[Adversary]:
    """One of each, named as a command does; TownError ``TOWN_ADVERSARY_UNKNOWN``."""
    makers = {hyphened(name): make for name, make in ADVERSARIES.items()}
    found = []
    for name in names:
        if name not in makers:
            known = ", ".join(as_commanded())
            raise TownError("TOWN_ADVERSARY_UNKNOWN", name=name, known=known)
        found.append(makers[name]())
    return found
