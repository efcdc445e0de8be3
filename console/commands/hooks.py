"""`connector hooks`: the webhooks of Cin7 that call the receiver, so that a change is known within seconds."""

import click

from console import exits
from console.context import Context
from console.hook_states import HookState, hook_states
from console.output import json_option, print_json, print_table, say
from console.registering import Registered, address_of, register, stored_secret, unregister
from shared.assembly import Assembly
from shared.config.checking import near
from shared.errors import ConnectorError


@click.group()
def command() -> None:
    """Let Cin7 tell of changes at once, by webhooks. Without them changes are polled for, and only come later."""


@command.command("register")
@click.option("--url", required=True, help="The receiver as Cin7 reaches it, such as https://hooks.example.com.")
@click.option("--account", default="", help="Only this Cin7 account.")
@json_option
@click.pass_obj
def register_(context: Context, url: str, account: str, as_json: bool) -> int:
    """Set the webhook up in every Cin7 account, or put right what is wrong with ours; safe to repeat.

    Below the URL the path /hooks/cin7/ACCOUNT is added. Exit code 3 where Cin7 does not let it be done: then the steps
    for a person are printed.
    """
    parts = context.parts
    accounts = _accounts(parts, account)
    try:
        addresses = {name: address_of(url, name) for name in accounts}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    secret = stored_secret(parts)
    done: list[Registered] = []
    faults: list[str] = []
    for name in accounts:
        try:
            done.append(register(parts, name, addresses[name], secret))
        except ConnectorError as error:
            faults.append(f"{name}: {error}")
    if as_json:
        print_json(done)
    else:
        for one in done:
            _tell(one)
    if faults:
        raise ConnectorError(" ".join(faults))
    return exits.HELD if any(one.outcome == "manual" for one in done) else exits.DONE


def _tell(one: Registered) -> None:
    if one.outcome == "manual":
        for number, step in enumerate(one.steps, start=1):
            say(f"{number}. {step}")
        return
    what = {"created": "Created", "repaired": f"Put right ({', '.join(one.changed)})", "unchanged": "Unchanged"}
    say(f"{what[one.outcome]}: webhook {one.webhook_id} of {one.cin7_account} calls {one.url}")


@command.command("status")
@click.option("--account", default="", help="Only this Cin7 account.")
@json_option
@click.pass_obj
def status(context: Context, account: str, as_json: bool) -> int:
    """Ask Cin7 whether it still calls our webhooks, and tell what waits. Exit code 3 where it does not."""
    parts = context.parts
    found = hook_states(parts, _accounts(parts, account))
    if as_json:
        print_json(found)
    else:
        _show(found)
    if any(one.state in {"off", "gone"} for one in found):
        return exits.HELD
    if faults := [f"{one.cin7_account}: {one.error}" for one in found if one.error and one.state != "unavailable"]:
        raise ConnectorError(" ".join(faults))
    return exits.DONE


def _show(found: list[HookState]) -> None:
    rows = [
        (one.cin7_account, one.state, one.since, one.url, one.secret, one.waiting, one.calls, one.reads, one.remedy)
        for one in found
    ]
    print_table(
        ("account", "state", "since", "calls", "secret", "waiting", "answered", "reads", "remedy"),
        rows,
        numbers=(5, 6, 7),
    )


@command.command("unregister")
@click.option("--account", default="", help="Only in this Cin7 account.")
@json_option
@click.pass_obj
def unregister_(context: Context, account: str, as_json: bool) -> None:
    """Delete our webhook in every Cin7 account; nobody else's is touched."""
    parts = context.parts
    done = [{"cin7_account": name, "outcome": unregister(parts, name)} for name in _accounts(parts, account)]
    if as_json:
        print_json(done)
        return
    words = {"deleted": "Deleted in Cin7.", "gone": "It was gone from Cin7 already.", "none": "There was none of ours."}
    for one in done:
        say(f"{one['cin7_account']}: {words[one['outcome']]}")


def _accounts(parts: Assembly, account: str) -> list[str]:
    known = list(parts.settings.cin7)
    if account and account not in known:
        hint = near(account, known) or f"known: {', '.join(known)}."
        raise click.UsageError(f"{account!r} is none of the settings' Cin7 accounts; {hint}")
    return [account] if account else known
