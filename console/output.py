"""What commands print: tables and progress for people, one JSON document for scripts."""

import base64
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give a command `--json`; it arrives as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def print_json(document: object) -> None:
    """Print one JSON document: instants in UTC with Z, amounts as text, structs as objects."""
    encoded = msgspec.json.format(msgspec.json.encode(plain(document)), indent=2)
    click.echo(encoded.decode())


def plain(value: Any) -> Any:  # noqa: ANN401, PLR0911 - one line per kind of value
    """Return `value` made of what JSON has, the same for the same value."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):  # A lone surrogate cannot be encoded; it stays visible as an escape.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else str(value)


def say(text: str) -> None:
    """Print a line for people on standard output."""
    click.echo(visible(text))


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "Nothing.", numbers: Sequence[int] = ()
) -> None:
    """Print rows for people: ruled on a terminal, else plain columns that are never cut.

    Args:
        headings: of the columns.
        rows: cells; None is shown as nothing.
        empty: what to say where there are no rows.
        numbers: places of columns that are set flush right.
    """
    if not rows:
        say(empty)
        return
    texts = [[_cell(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _print_plain(headings, texts, numbers)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in numbers else "left", overflow="fold")
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))  # Text: nothing in a record is taken for markup.
    Console().print(table)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while something runs; the callable takes how much is done in all.

    Where standard error is not a terminal, nothing is shown.
    """
    with tracking() as track:
        track(label, 0, total)
        yield lambda done: track(label, done, total)


@contextmanager
def tracking() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar as `progress` does, whose label and total may change: the callable takes label, done and total."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda label, done, total: bar.update(task, description=visible(label), completed=done, total=total)


def visible(text: str) -> str:
    """Return `text` without what could steer a terminal: records come from outside."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def _print_plain(headings: Sequence[str], rows: list[list[str]], numbers: Sequence[int]) -> None:
    lines = [list(headings), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    for line in lines:
        cells = (
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return visible(" ".join(text.splitlines()))


def _instant(value: datetime) -> str:
    """Return an instant in UTC; one without a zone is taken to be in UTC already."""
    utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return utc.isoformat().replace("+00:00", "Z")
