"""`connector demo`: everything on this machine, against stand-ins of both systems."""

import importlib.util

import click

from console.context import Context
from console.output import say
from shared.errors import Misconfigured


@click.command()
@click.option("--headless", is_flag=True, help="Run until nothing moves, print the summary and end.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which made-up world.")
@click.option("--repair", is_flag=True, help="In the demo that runs in this folder, repair what holds most orders.")
@click.pass_obj
def command(context: Context, headless: bool, seed: int, repair: bool) -> int:
    """Run everything on this machine: embedded servers, stand-ins of both systems, every process, a made-up world.

    Works in .connector/demo below the current folder, made anew each time. Nothing else is touched: no setting, key or
    server of yours, and no address but this machine's own.

    With --headless the exit code is 0 where everything was applied, 3 where records are held, as the world means some
    to be, and 1 where anything ended otherwise than it must.
    """
    if importlib.util.find_spec("sandbox") is None:
        raise Misconfigured("The stand-ins are not part of this installation: run `./run demo` in a clone.")
    # Here, since an image without the stand-ins still lists its commands.
    from console.demo.repairing import repair_account  # noqa: PLC0415
    from console.demo.showing import show  # noqa: PLC0415

    if repair:
        say(repair_account(context.root))
        return 0
    return show(context.variables, context.root, seed=seed, headless=headless)
