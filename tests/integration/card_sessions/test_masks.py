"""The desk puts a purse on the CNS card of every maker, and loads it."""

import pytest

from cardlib.channel import Channel
from simulator.card.masks import MASKS
from tests.integration.card_sessions.bench import Town

CNS_MASKS = [name for name, mask in MASKS.items() if mask.traits.cns]


@pytest.mark.parametrize("mask", CNS_MASKS)
def test_a_cns_card_is_recognised_personalised_and_loaded(town: Town, mask: str) -> None:
    """Its certificate and personal data are read to their end, which masks tell differently."""
    card = town.stock_card(mask)
    assert town.personalise(card, Channel(card.line)).outcome == "PURSE_MADE"
    town.order(card, 50_00)
    assert town.load(card, Channel(card.line)).outcome == "LOAD_DONE"
    assert card.wallet() == town.slot_money(card) == 50_00
    town.check_books()
