"""The PC/SC service of this machine, behind the types of ``service``."""

from cardlib.pcsc.service import Context


def real_service() -> Context:
    """A link to the machine's own service; ImportError without the extra ``pcsc``."""
    from cardlib.pcsc.winscard import WinscardContext  # noqa: PLC0415 - pyscard is an extra

    return WinscardContext()
