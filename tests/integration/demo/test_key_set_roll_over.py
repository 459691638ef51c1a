"""A town changes its keys while cards and tills are in the field: over HTTP, to the audit."""

from contextlib import closing
from pathlib import Path

import pytest

from backend.errors import ConflictError
from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.errors import PurseRefusedError
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.money import Money
from simulator.faults import TearAfter, nth
from simulator.town.demo.people import CHEMIST, FOOD, GROCER, ISSUER, MARIA, PAOLO, Beneficiary
from simulator.town.demo.readers import Wrap, untouched
from simulator.town.demo.story import DESK
from terminal.agent.card_session import run_session
from terminal.agent.uplink import Uplink
from terminal.sale.states import State
from terminal.till import Till
from tests.integration.demo.town import Town

CHANGE_KEY_DATA, UPDATE_RECORD = 0x24, 0xDC


def renew(town: Town, person: Beneficiary, wrap: Wrap = untouched) -> SessionCommands:
    """At the desk; the citizen types the PIN there."""
    shop = town.story.shops[DESK.key]
    till = Till.load(shop.directory, shop.passphrase, shop.clock, shop.randomness)
    url = f"http://127.0.0.1:{town.port}"
    pin = Pin(town.story.pin(person))
    with (
        town.story.reader.insert(town.story.image(person), wrap) as card,
        closing(Uplink(url, till.module, till.operator, shop.clock, shop.randomness)) as uplink,
    ):
        return run_session(
            Channel(card), uplink, SessionOpening("renew", ""), ask_pin=lambda _left: pin
        )


def sell(town: Town, shop: str, person: Beneficiary, cents: int) -> None:
    with town.story.reader.insert(town.story.image(person)) as card:
        result, _ = town.story.shops[shop].sell(
            card, town.story.pin(person), [(FOOD, Money(cents))]
        )
    assert result.goods_are_due


def test_keys_are_rolled_over_and_every_cent_is_proven(town: Town, tmp_path: Path) -> None:
    office = town.hall.backend.key_sets
    assert office.announce(ISSUER, "anna") == 2
    with town.hall.serve(town.port):
        for shop in (DESK, GROCER):
            town.story.shops[shop.key].synchronise()
        with pytest.raises(ConflictError, match="KEY_SET_NOT_HELD"):
            office.begin(ISSUER, "bruno")
        (status,) = office.status(ISSUER)
        assert (len(status.holding), len(status.missing)) == (2, 1)
        town.story.shops[CHEMIST.key].synchronise()
    sell(town, CHEMIST.key, MARIA, 310)  # under the old set, told of after the change
    with town.hall.serve(town.port):
        assert office.begin(ISSUER, "bruno") == 2
        torn = renew(town, MARIA, lambda card: TearAfter(card, nth(3, ins=CHANGE_KEY_DATA)))
        assert torn.outcome == "CARD_GONE"
        with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
            sell(town, GROCER.key, MARIA, 100)
        assert renew(town, MARIA).outcome == "KEY_SET_CHANGED"
    sell(town, GROCER.key, MARIA, 420)
    sell(town, CHEMIST.key, PAOLO, 150)  # a card that has not changed yet
    town.synchronise_and_compare()
    (status,) = office.status(ISSUER)
    assert (status.purses_changed, status.purses_waiting) == (1, 1)
    with town.hall.backend.work.begin() as unit:
        postings = [
            row for purse in unit.cards.purses() for row in unit.verdicts.postings(purse.id)
        ]
    assert {row.state for row in postings} == {"proven"}
    assert [row.terminal for row in postings].count(0) == 1  # the init record
    write_export(town.hall.backend.work, tmp_path / "export", 1)
    verdict = audit(tmp_path / "export")
    assert verdict.holds, list(verdict.findings)


def test_a_debit_of_before_the_change_is_recovered_and_proven_after_it(
    town: Town, tmp_path: Path
) -> None:
    office = town.hall.backend.key_sets
    office.announce(ISSUER, "anna")
    with town.hall.serve(town.port):
        for shop in (DESK, GROCER, CHEMIST):
            town.story.shops[shop.key].synchronise()
        office.begin(ISSUER, "bruno")
    torn = town.sell(GROCER.key, lambda card: TearAfter(card, nth(1, ins=UPDATE_RECORD)))
    assert torn is State.UNKNOWN
    with town.hall.serve(town.port):
        assert renew(town, MARIA).outcome == "KEY_SET_CHANGED"
    town.recover(GROCER.key)
    town.synchronise_and_compare()

    with town.hall.backend.work.begin() as unit:
        alarms = [alarm.code for alarm in unit.verdicts.alarms()]
        cases = [case.state for case in unit.verdicts.cases()]
    assert alarms == []
    assert set(cases) <= {"closed"}
    write_export(town.hall.backend.work, tmp_path / "export", 1)
    verdict = audit(tmp_path / "export")
    assert verdict.holds, list(verdict.findings)
