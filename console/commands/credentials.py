"""`connector credentials`: secrets in, never out."""

import sys

import click
import msgspec

from console.context import Context
from console.output import json_option, print_json, print_table, say
from shared.config import credentials
from shared.config.checking import near
from shared.config.credentials import Credentials


@click.group()
def command() -> None:
    """Store the credentials of both systems, encrypted."""


@command.command("set")
@click.argument("system", type=click.Choice(["ifs", "cin7", "hooks"]))
@click.argument("account", required=False)
@json_option
@click.pass_obj
def set_(context: Context, system: str, account: str | None, as_json: bool) -> None:
    """Store the credentials of SYSTEM; for cin7, of one ACCOUNT in the settings.

    On a terminal each value is asked for, unseen. Otherwise one JSON document is read from standard input:
    {"client_id", "client_secret"} for ifs, {"account_id", "application_keys": [...]} for cin7, {"secret"} for hooks.
    """
    name = _name(context, system, account)
    document = msgspec.json.encode(_asked(system)) if sys.stdin.isatty() else sys.stdin.buffer.read()
    given = credentials.read_credentials(name, document)
    conn = context.connect()
    credentials.store(conn, context.cipher, name, given)
    if as_json:
        print_json({"name": name, "stored": True})
    else:
        say(f"Stored the credentials of {name}.")


@command.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """List the names and dates of what is stored, and nothing else of it."""
    stored = credentials.names(context.connect())
    if as_json:
        print_json(stored)
        return
    rows = [(row.name, row.key_id, row.updated_at) for row in stored]
    print_table(("name", "master key", "stored"), rows, empty="No credentials are stored.")


@command.command("rotate-key")
@json_option
@click.pass_obj
def rotate_key(context: Context, as_json: bool) -> None:
    """Encrypt everything stored with the newest master key, which is the first one configured.

    Put a new key before the old one, restart all processes, run this, then take the old key away.
    """
    conn = context.connect()
    rotated = credentials.rotate(conn, context.cipher)
    if as_json:
        print_json({"rotated": rotated, "key_id": context.cipher.key_id})
    elif rotated:
        say(f"Encrypted {rotated} with master key {context.cipher.key_id}: older keys can be taken away.")
    else:
        say(f"Everything is encrypted with master key {context.cipher.key_id} already: to change it, put a new first.")


@command.command("new-key")
@json_option
def new_key(as_json: bool) -> None:
    """Print a fresh master key; it is kept nowhere."""
    key = credentials.new_key()
    if as_json:
        print_json({"key": key})
    else:
        say(key)


def _name(context: Context, system: str, account: str | None) -> str:
    """Return the name to store under; a Cin7 account must be in the settings once these are written."""
    if system != "cin7":
        if account is not None:
            raise click.UsageError(f"{system} has no accounts: leave {account!r} away.")
        return system
    settings = context.settings_if_written
    if account is None:
        known = list(settings.cin7) if settings else ["main"]
        if len(known) > 1:
            raise click.UsageError(f"There are several Cin7 accounts ({', '.join(known)}): name one of them.")
        account = known[0]
    elif settings is not None and account not in settings.cin7:
        hint = near(account, list(settings.cin7)) or f"known: {', '.join(settings.cin7)}."
        raise click.UsageError(f"{account!r} is none of the settings' Cin7 accounts; {hint}")
    name = credentials.cin7(account)
    credentials.shape_of(name)
    return name


def _asked(system: str) -> Credentials:
    if system == "ifs":
        return credentials.IfsCredentials(client_id=_ask("Client id"), client_secret=_ask("Client secret"))
    if system == "hooks":
        return credentials.HooksCredentials(secret=_ask("Secret of the webhooks"))
    account_id, keys = _ask("Account id"), [_ask("Application key")]
    while more := _ask("Another application key (empty: no more)", default=""):
        keys.append(more)
    return credentials.Cin7Credentials(account_id=account_id, application_keys=tuple(keys))


def _ask(what: str, default: str | None = None) -> str:
    answer = click.prompt(what, hide_input=True, default=default, show_default=False, err=True)
    return str(answer).strip()
