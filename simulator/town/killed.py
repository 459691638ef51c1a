"""Sudden death of a process of the town."""


class Killed(BaseException):
    """A process ends here and now, as by SIGKILL or a power cut; nothing it holds is finished.

    No error of the product: no ``except Exception`` stops it. Whoever plays the machine
    catches it, and starts the process anew.
    """
