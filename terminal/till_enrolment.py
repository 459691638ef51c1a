"""How a till comes to be: fresh keys, then what the operator answers to them."""

from pathlib import Path

from cardlib.errors import AuthenticityError
from cardlib.ports import Randomness
from cardlib.wire.bundle import Bundle
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer
from terminal.errors import TillError
from terminal.storage import Storage
from terminal.system_storage import SYSTEM
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import BoundModule, TillKeys
from terminal.till_module import install_module


def prepare(
    directory: Path, passphrase: str, config: TillConfig, randomness: Randomness,
    card: BoundModule | None = None, storage: Storage = SYSTEM,
) -> TillKeys:  # fmt: skip
    """Makes the directory and fresh keys; TillError ``TILL_EXISTS`` when there are keys already.

    A till that was prepared and never enrolled is prepared anew. With a module ``card``
    the terminal's keys are there, and only the journal's is made.
    """
    files = TillFiles(directory, storage)
    if files.has(files.certificate):
        raise TillError("TILL_EXISTS", path=str(directory))
    storage.make_directory(directory)
    config.write(files.config, storage)
    keys = TillKeys.generate(randomness, card)
    keys.write(files.keys, passphrase, randomness, storage)
    return keys


def enrol(
    directory: Path, passphrase: str, answer: EnrolmentAnswer, randomness: Randomness,
    storage: Storage = SYSTEM,
) -> Certificate:  # fmt: skip
    """Installs the operator's answer; the caller has compared the fingerprint by eye.

    AuthenticityError when certificate or bundle are not that operator's, or not for
    this till's key. The certificate is written last: without it nothing is enrolled.
    """
    files = TillFiles(directory, storage)
    keys = TillKeys.read(files.existing(files.keys), passphrase, storage)
    certificate = Certificate.open(answer.certificate, answer.operator_key)
    if certificate.public_key != keys.public_key:
        raise AuthenticityError("CERTIFICATE_OTHER")
    Bundle.open(answer.bundle, answer.operator_key)
    if keys.card is not None:
        install_module(keys.card, TillConfig.read(files.config, storage).slot, answer)
    enrolled = keys.enrolled(answer.operator_key, answer.sealed_keys)
    enrolled.write(files.keys, passphrase, randomness, storage)
    storage.write(files.bundle, answer.bundle)
    storage.write(files.certificate, answer.certificate)
    return certificate
