"""How a till comes to be: fresh keys, then what the operator answers to them."""

from pathlib import Path

from cardlib.errors import AuthenticityError
from cardlib.ports import Randomness
from cardlib.wire.bundle import Bundle
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer
from terminal.errors import TillError
from terminal.till_files import TillConfig, TillFiles, existing, write_durably
from terminal.till_keys import BoundModule, TillKeys
from terminal.till_module import install_module


def prepare(
    directory: Path, passphrase: str, config: TillConfig, randomness: Randomness,
    card: BoundModule | None = None,
) -> TillKeys:  # fmt: skip
    """Makes the directory and fresh keys; TillError ``TILL_EXISTS`` when there are keys already.

    A till that was prepared and never enrolled is prepared anew. With a module ``card``
    the terminal's keys are there, and only the journal's is made.
    """
    files = TillFiles(directory)
    if files.certificate.exists():
        raise TillError("TILL_EXISTS", path=str(directory))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.write(files.config)
    keys = TillKeys.generate(randomness, card)
    keys.write(files.keys, passphrase, randomness)
    return keys


def enrol(
    directory: Path, passphrase: str, answer: EnrolmentAnswer, randomness: Randomness
) -> Certificate:
    """Installs the operator's answer; the caller has compared the fingerprint by eye.

    AuthenticityError when certificate or bundle are not that operator's, or not for
    this till's key. The certificate is written last: without it nothing is enrolled.
    """
    files = TillFiles(directory)
    keys = TillKeys.read(existing(files.keys), passphrase)
    certificate = Certificate.open(answer.certificate, answer.operator_key)
    if certificate.public_key != keys.public_key:
        raise AuthenticityError("CERTIFICATE_OTHER")
    Bundle.open(answer.bundle, answer.operator_key)
    if keys.card is not None:
        install_module(keys.card, TillConfig.read(files.config).slot, answer)
    keys.enrolled(answer.operator_key, answer.sealed_keys).write(files.keys, passphrase, randomness)
    write_durably(files.bundle, answer.bundle)
    write_durably(files.certificate, answer.certificate)
    return certificate
