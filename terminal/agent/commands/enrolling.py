"""``borsellino sync``, once in a till's life: its keys, and the operator's answer to them."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from cardlib.text import catalogue
from cardlib.text.command_line import confirmed, reported
from terminal.agent import enrolment
from terminal.agent.commands.options import HERE, Dir, Json, Lang, Openers, till_passphrase
from terminal.passphrase import read_secret
from terminal.till_files import TillConfig


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """``keys`` and ``enrol``."""

    @app.command()
    def keys(
        *,
        url: Annotated[str, typer.Option(help="Address of the service.")],
        directory: Dir = HERE,
        cashier: Annotated[
            str, typer.Option(help="A number given by the shop, never a name.")
        ] = "",
        module: Annotated[
            str, typer.Option(help="The keys are on a module card: part of its reader's name.")
        ] = "",
        module_card: Annotated[
            str, typer.Option(help="Image of a virtual module card instead.")
        ] = "",
        module_pin_file: Annotated[
            Path | None, typer.Option(help="File with the module's PIN; else asked.")
        ] = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """First step of the enrolment: makes the till's keys and prints their fingerprint.

        With a module card they are there already, and only bound to the till.
        """
        with reported(lang, as_json=as_json):
            config = TillConfig(
                url, lang or "", cashier, module_reader=module, module_image=module_card
            )
            pin = _module_pin(module_pin_file, lang) if config.slot else ""
            public = enrolment.prepare_keys(
                directory, till_passphrase(lang), config, openers.randomness, pin
            )
            _say("fingerprint_own", lang, as_json=as_json, fingerprint=public.fingerprint)

    @app.command()
    def enrol(
        *,
        code: Annotated[str, typer.Option(help="The one-time code that the operator gave.")],
        directory: Dir = HERE,
        operator_fingerprint: Annotated[
            str | None, typer.Option(help="As the operator gave it; else you are asked.")
        ] = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Second step: sends the code, and installs the answer once its sender is confirmed."""
        if as_json and operator_fingerprint is None:
            raise typer.BadParameter("--json needs --operator-fingerprint: nobody can be asked")
        with reported(lang, as_json=as_json):
            passphrase, randomness = till_passphrase(lang), openers.randomness
            answer = enrolment.ask(directory, passphrase, code, openers.clock, randomness)
            enrolment.check_operator(
                answer, operator_fingerprint or _confirmed(answer.operator_key.fingerprint, lang)
            )
            certificate = enrolment.accept(directory, passphrase, answer, randomness)
            _say(
                "enrolled", lang, as_json=as_json, terminal=certificate.terminal,
                merchant=certificate.merchant_name, operator=certificate.operator,
            )  # fmt: skip


def _confirmed(fingerprint: str, lang: str | None) -> str:
    """The fingerprint when a person says that it is the right one, else nothing that fits."""
    chosen = catalogue.preferred(os.environ, lang)
    typer.echo(catalogue.label("sync", "fingerprint_operator", chosen, fingerprint=fingerprint))
    agreed = confirmed(catalogue.label("sync", "fingerprint_question", chosen), chosen)
    return fingerprint if agreed else ""


def _say(key: str, lang: str | None, *, as_json: bool, **facts: str | int) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(catalogue.label("sync", key, catalogue.preferred(os.environ, lang), **facts))


def _module_pin(path: Path | None, lang: str | None) -> str:
    if path is not None:
        return read_secret(path)
    asked = catalogue.label("module", "pin", catalogue.preferred(os.environ, lang))
    return str(typer.prompt(asked, hide_input=True))
