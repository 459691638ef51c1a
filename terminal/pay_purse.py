"""Which purse of the card ``terminal pay`` debits, where several towns have one on it."""

from cardlib.errors import AuthenticityError, CardlibError, PurseRefusedError
from terminal.errors import SaleRefusedError
from terminal.sale.card_shown import NOT_OF_OURS, CardShown
from terminal.sale.session import SaleSession
from terminal.trust import BundleTrust


def read_purse(sale: SaleSession, trust: BundleTrust, issuer: bytes | None) -> CardShown:
    """Reads the first purse that this till serves, or the one of the town ``issuer``.

    Goes on from purse to purse until it is that town's. SaleRefusedError
    ``PURSE_NOT_OF_TOWN`` when there is none; a purse that was refused on the way may have
    been it: then its refusal is raised. Other errors as ``SaleSession.read``.
    """
    if issuer is None:
        return sale.read()
    refusal: CardlibError | None = None
    read = sale.read
    for _ in range(max(1, len(trust.issuers))):  # a card has at most one purse of each
        try:
            shown = read()
        except (PurseRefusedError, AuthenticityError) as error:
            if error.code in NOT_OF_OURS:
                raise
            refusal = error
        else:
            if shown.info.issuer == issuer:
                return shown
        read = sale.next_purse
    sale.stop()
    raise refusal or SaleRefusedError("PURSE_NOT_OF_TOWN", issuer=issuer.hex())


def issuer_of(code: str) -> bytes:
    """The bytes of an ISTAT code of six digits; ValueError for anything else."""
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        raise ValueError(code)
    return bytes.fromhex(code)
