"""The Procfile's lines as the processes to run. Pure."""

import re
import shlex
from collections.abc import Iterable, Mapping

from shared.errors import Misconfigured

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
_ASSIGNMENTS = re.compile(r"((?:[A-Za-z_]\w*=\S*\s+)*)(.*)")
_SCALE = re.compile(r"([A-Za-z0-9_-]+)=(\d{1,3})")


def lines_of(text: str) -> dict[str, str]:
    """Return the command of each process type, in the order of the file.

    Raises:
        Misconfigured: a line is not `name: command`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise Misconfigured(f"Procfile line {number} is not `name: command`: {line.strip()[:60]!r}.")
        if match[1] in found:
            raise Misconfigured(f"Procfile line {number} names {match[1]} a second time: give it another name.")
        found[match[1]] = match[2]
    return found


def scale_of(asked: Iterable[str]) -> dict[str, int]:
    """Return how many of each process type `asked`, such as `writer=4`, means.

    Raises:
        Misconfigured: a text is not `name=count`.
    """
    counts: dict[str, int] = {}
    for text in asked:
        match = _SCALE.fullmatch(text)
        if match is None:
            raise Misconfigured(f"{text!r} is not a scale: write it as writer=4.")
        counts[match[1]] = int(match[2])
    return counts


def processes_of(
    lines: Mapping[str, str], *, scale: Mapping[str, int] | None = None, only: Iterable[str] = ()
) -> dict[str, str]:
    """Return the command of every process to run by its name: `writer`, or `writer.1` and so on where there are more.

    Args:
        lines: command by process type.
        scale: how many of a type; one where it is not said, none at 0.
        only: the types to run; empty means all.

    Raises:
        Misconfigured: `scale` or `only` names a type that is not there.
    """
    counts, chosen = dict(scale or {}), set(only)
    if unknown := sorted((counts.keys() | chosen) - lines.keys()):
        raise Misconfigured(f"The Procfile has no process {', '.join(unknown)}: it has {', '.join(lines)}.")
    processes: dict[str, str] = {}
    for name, command in lines.items():
        count = counts.get(name, 1) if not chosen or name in chosen else 0
        for number in range(1, count + 1):
            processes[name if count == 1 else f"{name}.{number}"] = command
    return processes


def is_compound(command: str) -> bool:
    """Say whether a shell must stay to run all of `command`: it holds `;`, `&` or `|` outside quotes."""
    words = shlex.shlex(command, posix=True, punctuation_chars=";&|")
    try:
        return any(set(word) <= set(";&|") for word in words if word)
    except ValueError:  # An open quote: the shell says so better.
        return True


def shell_line(command: str) -> str:
    """Return what to give `sh -c`: the shell makes way for the program, or it would swallow its signals."""
    if is_compound(command):
        return command
    match = _ASSIGNMENTS.fullmatch(command)
    return f"{match[1]}exec {match[2]}" if match else f"exec {command}"
