"""A card whose keys were changed, and what becomes of it afterwards."""

from pathlib import Path

from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.codec.pin import Pin
from cardlib.wire.card_session import SessionOpening
from tests.town.place import APPROVER, ISSUER, LOADER, Place

LOAD = SessionOpening("load", "")


def test_a_renewed_card_that_is_lost_and_replaced_leaves_the_auditor_content(
    place: Place, tmp_path: Path
) -> None:
    shop = place.shop()
    card, new = place.card(shop), place.card(shop, "new")
    place.order(card, 5000)
    assert shop.session(card, LOAD).outcome == "LOAD_DONE"
    place.announce_keys(shop)
    place.hall.backend.key_sets.begin(ISSUER, APPROVER)
    renewed = shop.session(card, SessionOpening("renew", ""), Pin(card.pin))
    assert renewed.outcome == "KEY_SET_CHANGED"

    office = place.hall.backend.cards
    office.block(card.purse, "CARD_LOST", by=LOADER)
    shop.clock.sleep(3_600)
    shop.sync()
    assert office.replace(card.purse, new.purse, requested_by=LOADER, approved_by=APPROVER)
    assert shop.session(new, LOAD).outcome == "LOAD_DONE"

    write_export(place.hall.work, tmp_path, place.hall.backend.clock.unix_ms() // 1000)
    assert [str(found) for found in audit(tmp_path).findings] == []
