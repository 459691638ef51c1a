"""How a till becomes one of an operator's, in two steps.

1. ``prepare_keys`` makes the keys; a person reads their fingerprint to the operator, who
   makes a one-time code for exactly this key.
2. ``ask`` sends the code and shows the operator's fingerprint; ``accept`` installs the
   answer once a person has said that it is the right one.

Asking again with the same code gets the same answer, for as long as the code is good.
"""

from pathlib import Path

from cardlib.drivers.card_module import CardModule
from cardlib.ports import Clock, Randomness
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer
from terminal import till_enrolment
from terminal.agent.errors import EnrolmentError
from terminal.agent.uplink import Uplink, checked_url
from terminal.errors import TillError
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys
from terminal.till_module import bind, module_of


def prepare_keys(
    directory: Path, passphrase: str, config: TillConfig, randomness: Randomness,
    module_pin: str = "",
) -> PublicKey:  # fmt: skip
    """The terminal's public key, made now or before; TillError ``TILL_EXISTS`` once enrolled.

    Where ``config`` names a slot it is the key of the module card there, which
    ``module_pin`` opens. Asked again it is the same key: somebody may already be reading
    it out. EnrolmentError for an address that would not be used.
    """
    checked_url(config.backend_url)
    files = TillFiles(directory)
    card = bind(config.slot, module_pin) if config.slot else None
    if files.keys.exists() and not files.certificate.exists():
        keys = TillKeys.read(files.keys, passphrase)
        if keys.card == card:
            config.write(files.config)
            return keys.public_key
    return till_enrolment.prepare(directory, passphrase, config, randomness, card).public_key


def ask(
    directory: Path, passphrase: str, code: str, clock: Clock, randomness: Randomness
) -> EnrolmentAnswer:
    """Sends the code to the address in ``config.toml``; nothing is installed yet.

    TillError ``TILL_MISSING`` without keys, ``TILL_EXISTS`` when already enrolled.
    """
    files = TillFiles(directory)
    if not files.keys.exists() or not files.config.exists():
        raise TillError("TILL_MISSING", path=str(directory))
    if files.certificate.exists():
        raise TillError("TILL_EXISTS", path=str(directory))
    keys = TillKeys.read(files.keys, passphrase)
    config = TillConfig.read(files.config)
    module = module_of(keys, config.slot, randomness)
    request = (
        module.request_enrolment(code) if isinstance(module, CardModule) else keys.request(code)
    )
    with Uplink(config.backend_url, module, None, clock, randomness) as uplink:
        return uplink.enrol(request)


def check_operator(answer: EnrolmentAnswer, fingerprint: str) -> None:
    """EnrolmentError ``OPERATOR_OTHER`` unless the operator's key has this fingerprint."""
    if _digits(answer.operator_key.fingerprint) != _digits(fingerprint):
        raise EnrolmentError("OPERATOR_OTHER", fingerprint=answer.operator_key.fingerprint)


def accept(
    directory: Path, passphrase: str, answer: EnrolmentAnswer, randomness: Randomness
) -> Certificate:
    """Installs an answer whose operator a person has confirmed."""
    return till_enrolment.enrol(directory, passphrase, answer, randomness)


def _digits(fingerprint: str) -> str:
    return "".join(char for char in fingerprint.lower() if char.isalnum())
