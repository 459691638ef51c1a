"""The base of all faults: a connection around another one."""

from cardlib.connection import CardConnection


class Shim:
    """Passes everything on; the base of all faults."""

    def __init__(self, inner: CardConnection) -> None:
        self.inner = inner

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.inner.atr

    def transmit(self, apdu: bytes) -> bytes:
        """See ``CardConnection``."""
        return self.inner.transmit(apdu)

    def reset(self) -> None:
        """See ``CardConnection``."""
        self.inner.reset()

    def close(self) -> None:
        """See ``CardConnection``."""
        self.inner.close()
