"""Legacy chips at the desk: refused with a reason, before anything is written."""

from cardlib.codec.purse import FLAG_ATTESTATION
from simulator.card import image
from simulator.card.masks import WHITE_LEGACY
from tests.integration.card_sessions.bench import Town


def test_no_purse_is_made_on_a_legacy_chip(town: Town) -> None:
    card = town.stock_card(WHITE_LEGACY)
    before = image.encode(card.memory)

    assert town.personalise(card).outcome == "STOCK_CARD_LEGACY"
    assert image.encode(card.memory) == before


def test_nothing_is_loaded_onto_a_purse_that_cannot_attest(town: Town) -> None:
    """A load computes the new total from what the card proves: here it proves nothing."""
    card = town.purse_card()
    town.order(card, 5000)
    purse = card.memory.find((0x1200, 0xB001))
    assert purse is not None
    info = purse.file_by_sfi(1)
    assert info is not None
    content = bytearray(info.content)
    content[12] &= ~FLAG_ATTESTATION & 0xFF
    info.records[0] = bytes(content)

    assert town.load(card).outcome == "PURSE_CANNOT_ATTEST"
    assert (card.grants, town.signed()) == ({}, [])
    town.check_books()
