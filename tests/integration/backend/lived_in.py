"""A town in the middle of its life, as an older version of the service may have left it.

Each deed needs what some revision brought: before it, nobody could have done it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from backend.adapters.pain001 import Debtor
from backend.domain.cases import Decision
from backend.domain.review import Rule
from backend.domain.settlement import Period
from backend.services.cases.office import CaseOffice
from backend.services.keys.key_sets import KeySetOffice
from backend.services.recovery.office import RecoveryOffice
from backend.services.refunds.returns import ReturnDesk
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.outcomes import OutcomeService
from backend.services.settlement.reviews import ReviewOffice
from backend.services.settlement.statements import StatementService
from backend.services.settlement.views import Batch
from backend.services.terminals.lost_terminals import LossOffice
from backend.services.wallets.lost_cards import CardOffice
from cardlib.wire.entry_body import GrantSeen
from cardlib.wire.module_keys import KeyRequest
from cardlib.wire.money import Money
from simulator.card.randomness import SeededRandomness
from tests.integration.backend.builders import APPROVER, ISSUER, LOADER, START, Chip, Till, Town

DEBTOR = Debtor("Comune", "IT13S0542811101000000123457")


@dataclass(frozen=True)
class Life:
    """Who lives there: one card, a till of each of two shops."""

    town: Town
    till: Till
    other: Till
    chip: Chip

    def sync(self) -> None:
        """A little later both tills have told everything."""
        self.town.clock.seconds += 10
        for till in (self.till, self.other):
            till.heartbeat()
            till.sync()


def lived_in(engine: Engine, revision: str, revisions: list[str]) -> Life:
    """A town that did everything which a service at ``revision`` was able to do."""
    town = Town(engine)
    till, other = town.till(), town.till(town.other_shop)
    life = Life(town, till, other, town.chip_with(5000))
    for since, deed in DEEDS:
        if revisions.index(since) <= revisions.index(revision):
            deed(life)
    return life


def _sales(life: Life) -> None:
    """Proven and unproven ones, a void, a parked one; a card and a journal that forked."""
    till, other, chip = life.till, life.other, life.chip
    till.write(GrantSeen(grant=bytes(chip.grants[1])))
    till.sell(chip, 700)
    till.void(chip, till.sell(chip, 300), 300)
    other.sell(chip, 450)
    till.unresolved(till.begin(chip, 20))
    other.sell(chip, 150, tc=False)
    forked = life.town.chip_with(1000)
    till.sell(forked.twin(), 40)
    other.sell(forked, 60)
    life.sync()
    other.upload(other.journal[0][:-1] + b"\x00")


def _loads(life: Life) -> None:
    """One that is confirmed, and one whose grant is signed and has not reached the card."""
    town, chip = life.town, life.chip
    town.load(chip, 1500)
    town.sign(chip, town.order(chip, 900))


def _settlement(life: Life) -> None:
    """A batch that was paid, and one that the bank sent back."""
    for till, word in ((life.till, "pagato"), (life.other, "respinto")):
        _book_outcome(life, _ordered(life, till), word)


def _key_set(life: Life) -> None:
    """A new one is announced, and one till holds it."""
    office = KeySetOffice(life.town.work, life.town.keys, life.town.clock)
    held = (bytes.fromhex(ISSUER), office.announce(ISSUER, LOADER))
    with life.town.work.begin() as unit:
        box_key = unit.terminals.terminal(life.till.number).box_key
    assert box_key is not None
    office.hand_out(KeyRequest(box_key, (held,)), life.till.number)


def _losses(life: Life) -> None:
    """A lost card, replaced; a stolen till."""
    town, lost = life.town, life.town.chip_with(2000)
    CardOffice(town.work, town.clock).block(lost.purse, "CARD_LOST", by=LOADER)
    CardOffice(town.work, town.clock).replace(
        lost.purse, town.new_chip().purse, requested_by=LOADER, approved_by=APPROVER
    )
    stolen = town.till()
    LossOffice(town.work, town.clock).record(
        stolen.number, START, act="Denuncia 7", requested_by=LOADER, approved_by=APPROVER
    )


def _decisions(life: Life) -> None:
    """Two people pay a sale that no card has proven."""
    office = CaseOffice(life.town.work, life.town.clock)
    life.till.sell(life.town.chip_with(1000), 80, tc=False)
    life.sync()
    case = max(item.number for item in office.waiting())
    office.close(case, Decision.PAY, act="DD 9", requested_by=LOADER, approved_by=APPROVER)


def _returns(life: Life) -> None:
    """Goods that come back, and a batch under review."""
    town, chip = life.town, life.town.chip_with(3000)
    seq = life.till.sell(chip, 900)
    life.sync()
    ReturnDesk(town.work, town.clock).agree(
        life.till.number, seq, Money(200), act="Reso 1", requested_by=LOADER, approved_by=APPROVER
    )
    office = ReviewOffice(town.work, town.clock, SeededRandomness("review"))
    office.set_band(
        town.municipality, Rule(0, 1000), act="DG 1", requested_by=LOADER, approved_by=APPROVER
    )
    batch = _drawn_up(life, life.till)
    office.send(batch.id, LOADER)
    office.begin(batch.id, APPROVER)


def _second_people(life: Life) -> None:
    """A card that was found again, a signed statement, a recovery that ended."""
    town, found = life.town, life.town.chip_with(500)
    cards, recovery = (
        CardOffice(town.work, town.clock),
        RecoveryOffice(town.work, town.keys, town.clock),
    )
    cards.block(found.purse, "CARD_LOST", by=LOADER)
    cards.unblock(found.purse, requested_by=LOADER, approved_by=APPROVER)
    period = Period(START - 86_400, town.clock.seconds - 5)
    StatementService(town.work, town.keys, town.clock).issue(town.shop, period)
    recovery.begin(LOADER)
    life.sync()
    recovery.end(
        requested_by=LOADER, approved_by=APPROVER, act="Verbale 1", without=recovery.waiting()
    )


def _drawn_up(life: Life, till: Till) -> Batch:
    """The shop's batch from where its last one ended."""
    life.sync()
    service, clock = SettlementService(life.town.work, life.town.clock), life.town.clock
    ends = (batch.period.end for batch in service.batches() if batch.merchant == till.merchant)
    period = Period(max(ends, default=START - 86_400), clock.seconds - 5)
    return service.draw_up(life.town.municipality, till.merchant, period, LOADER)


def _ordered(life: Life, till: Till) -> Batch:
    batch, service = _drawn_up(life, till), SettlementService(life.town.work, life.town.clock)
    service.approve(batch.id, APPROVER)
    service.order_payments([batch.id], DEBTOR)
    return batch


def _book_outcome(life: Life, batch: Batch, word: str) -> None:
    with life.town.work.begin() as unit:
        (payment,) = unit.settlement.payments(batch.id)
    euros = f"{batch.total_cents // 100},{batch.total_cents % 100:02d}"
    content = (
        f"id pagamento;importo;esito;data\n{payment.end_to_end_id};{euros};{word};02/04/2026\n"
    )
    service = OutcomeService(life.town.work, life.town.clock)
    assert service.import_file(f"{batch.id}.csv", content.encode(), LOADER).accepted


DEEDS: tuple[tuple[str, Callable[[Life], None]], ...] = (
    ("20261121", _sales),
    ("20261121", _loads),
    ("20261121", _settlement),
    ("20261122", _key_set),
    ("20261122c", _losses),
    ("20261122c", _decisions),
    ("20261122g", _returns),
    ("20261122h", _second_people),
)
"""What can be done since which revision."""
