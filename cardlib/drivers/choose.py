"""Which driver a card gets: by its answer to reset, then by EF.INFO, which is read anyway."""

from cardlib.channel import Channel
from cardlib.codec.atr import Atr
from cardlib.drivers.applet_card import AppletCard
from cardlib.drivers.known_grants import KnownGrants
from cardlib.drivers.legacy_card import LegacyCard
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import MalformedError
from cardlib.keys.module import SecurityModule
from cardlib.keys.trust import Trust

_NAME = slice(9, 12)
"""Where the historical bytes of CNS cards and of ours say what the card is."""
_APPLET = b"BUA"


def purse_card(
    channel: Channel,
    module: SecurityModule,
    trust: Trust,
    *,
    training: bool = False,
    known: KnownGrants | None = None,
    legacy_sale_cents: int = 0,
) -> PurseCard:
    """The driver for the card at the end of ``channel``.

    ``known`` keeps the grants that this till has met, from one card to the next;
    ``legacy_sale_cents`` is the most that a legacy chip may pay in one sale, 0 for none.
    """
    if is_applet(channel.atr):
        return AppletCard(channel, module, trust, training=training, known=known)
    return LegacyCard(channel, module, trust, training=training, limit_cents=legacy_sale_cents)


def is_applet(atr: bytes) -> bool:
    """Whether the answer to reset is that of a purse applet; an unreadable one is not."""
    try:
        return Atr.decode(atr).historical[_NAME] == _APPLET
    except MalformedError:
        return False
