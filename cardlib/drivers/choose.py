"""Which driver a card gets: by its answer to reset, which costs no command."""

from cardlib.channel import Channel
from cardlib.codec.atr import Atr
from cardlib.drivers.applet_card import AppletCard
from cardlib.drivers.file_card import FileCard
from cardlib.drivers.known_grants import KnownGrants
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
) -> PurseCard:
    """The driver for the card at the end of ``channel``.

    ``known`` keeps the grants that this till has met, from one card to the next.
    """
    if is_applet(channel.atr):
        return AppletCard(channel, module, trust, training=training, known=known)
    return FileCard(channel, module, trust, training=training)


def is_applet(atr: bytes) -> bool:
    """Whether the answer to reset is that of a purse applet; an unreadable one is not."""
    try:
        return Atr.decode(atr).historical[_NAME] == _APPLET
    except MalformedError:
        return False
