"""What a fuzzer found: enough to see it again."""

from collections.abc import Sequence


class FindingError(AssertionError):
    """Something that no sequence of bytes may bring about."""

    def __init__(self, what: str, where: str, talk: Sequence[tuple[bytes, bytes]]) -> None:
        lines = [what, where]
        lines += [f"> {command.hex()}\n< {answer.hex()}" for command, answer in talk]
        super().__init__("\n".join(lines))
