"""Files that commands write: each gets its name once it is whole, so that nobody takes half a report for all."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click


@contextlib.contextmanager
def whole_file(output: Path | None) -> Iterator[TextIO]:
    """Open a file to write; None is standard output.

    Raises:
        ClickException: it cannot be written.
    """
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
