"""The demo from beginning to end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from console import exits
from console.context import Context
from console.demo.installation import CIN7_LIMIT, set_up, write_settings
from console.demo.living import live
from console.demo.place import LOG, command_from, fresh_folder, variables_of
from console.demo.stand_ins import StandIns
from console.demo.summary import Summary, print_summary, sum_up
from console.demo.watching import TookTooLong, tell, watch
from console.output import say
from console.processes import PROGRAM, environment_of_processes, find_procfile, health_address
from console.supervising import OnLine, Supervisor, prefixed
from console.supervisor.procfile import lines_of, processes_of
from sandbox.world import World, build_world
from sandbox.world.ground import MISSING_ACCOUNT
from shared.errors import Misconfigured

WRITERS: Final = 2
#: Beside the suppliers and orders of a world's own: enough of each for every kind.
INVOICES: Final = 80
VOUCHERS: Final = 80
#: Seconds for the first part; on an idle machine it takes well under one minute.
TIMEOUT_S: Final = 900.0


def show(variables: Mapping[str, str], root: Path, *, seed: int, headless: bool) -> int:
    """Run the demo; return the exit code.

    Raises:
        Misconfigured: a server, a stand-in or a process cannot run.
    """
    world = build_world(seed, invoices=INVOICES, vouchers=VOUCHERS, cin7_limit=CIN7_LIMIT)
    with fresh_folder(root) as folder, _logged(folder) as on_line, ExitStack() as stack:
        tell(f"Starting PostgreSQL, Redis and stand-ins of IFS Cloud and Cin7 Core in {folder} ...")
        environ = variables_of(variables, folder)
        seeds = {"ifs": world.ifs_seed, "cin7": world.cin7_seed}
        stand_ins = stack.enter_context(StandIns(folder, seeds, environ, on_line))
        write_settings(folder, world, stand_ins)
        context = stack.enter_context(closing(Context(environ, folder)))
        set_up(context, world)
        commands = processes_of(lines_of(find_procfile().read_text()), scale={"writer": WRITERS})
        supervisor = stack.enter_context(
            Supervisor(commands, environment_of_processes(context), folder=PROGRAM, on_line=on_line)
        )
        tell(f"Running {', '.join(commands)}. Health and metrics: {health_address(context)}/readyz and /metrics")

        def each_look() -> None:
            stand_ins.require_alive()
            if supervisor.misconfigured:
                raise Misconfigured(supervisor.misconfigured)

        try:
            seconds = watch(context.parts.ledger, _at_rest(world), TIMEOUT_S, each_look)
        except TookTooLong:
            tell(f"After {TIMEOUT_S:.0f} s something still moves: see {folder / LOG}.")
            return exits.TIMED_OUT
        summary = sum_up(context.parts.ledger, world, stand_ins, seconds)
        print_summary(summary, seed)
        if headless:
            _look_around(folder, root, headless=True)
            return _verdict(summary)
        _look_around(folder, root, headless=False)
        tell("\nNow people edit records in both systems. Ctrl-C ends the demo.\n")
        _until_interrupted(lambda: live(context.parts.ledger, world, stand_ins, seed, each_look))
        return exits.FAILED if summary.problems else exits.DONE


def _at_rest(world: World) -> dict[str, int]:
    """Return how many records of each flow come to rest: all but those that are left out."""
    return {
        flow: sum(one.outcome != "left_out" for one in expected.values()) for flow, expected in world.expected.items()
    }


def _verdict(summary: Summary) -> int:
    kept = sum(record.state in {"held", "waiting"} for record in summary.records.values())
    if summary.problems:
        return exits.FAILED
    if kept:
        say(f"\nExit code {exits.HELD}: done, and {kept} records are held or wait, as this world means them to.")
        return exits.HELD
    return exits.DONE


def _look_around(folder: Path, root: Path, *, headless: bool) -> None:
    """Print commands that can be copied as they are."""
    connector = command_from(folder)
    say("\nLook around" + (":" if headless else ", in another terminal:"))
    say(f"  cd {folder}")
    for arguments, what in (
        ("causes", "what must be repaired, and how much it holds"),
        ("holds", "every held record with its reasons"),
        ("status", "flows, queues, call budgets"),
        ("polls", "every pull"),
        ("links", "which IFS record is which Cin7 record"),
        ("ledger show purchase_orders K/1042", "one order's whole story"),
        ("accounts", "each company's accounts beside its chart in Cin7"),
    ):
        say(f"  {connector} {arguments:<36}# {what}")
    if headless:
        return
    say(f"Repair something: add account {MISSING_ACCOUNT} to Cin7's chart. Within a minute its documents go through:")
    say(f"  cd {root.absolute()} && {command_from(root)} demo --repair")


def _until_interrupted(work: Callable[[], None]) -> None:
    try:
        work()
    except KeyboardInterrupt:
        tell("\nStopping ...")


@contextmanager
def _logged(folder: Path) -> Iterator[OnLine]:
    """Lend what writes the processes' lines to the log."""
    with (folder / LOG).open("a", encoding="utf-8", buffering=1) as log:
        yield prefixed(["replayer"], log.write)
