"""docs/commands.md says what the commands are, and nothing else."""

import importlib.util
from collections.abc import Iterator

import click
import pytest

from console.__main__ import COMMANDS, connector
from tests.unit.console.documented import PAGE, examples, options, sections

_CONTEXT = click.Context(connector)


def commands(group: click.Group = connector, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(_CONTEXT):
        command = group.get_command(_CONTEXT, name)
        assert command is not None
        full = f"{path} {name}".strip()
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield full, command
        if isinstance(command, click.Group):
            yield from commands(command, full)


TREE = dict(commands())


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    built = {name for name in sections() if importlib.util.find_spec(f"console.commands.{name.split()[0]}") is not None}
    assert built == set(TREE)
    assert {name.split()[0] for name in sections()} <= set(COMMANDS)


@pytest.mark.parametrize("name", TREE)
def test_a_section_has_exactly_the_options_and_arguments_of_its_command(name: str) -> None:
    arguments, text = sections()[name]
    command = TREE[name]
    known = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert options(text) == known
    shown = [word.strip("[].") for word in arguments.split()]
    wanted = [part.human_readable_name.strip("[].") for part in command.params if isinstance(part, click.Argument)]
    assert shown == wanted


def test_every_example_is_json() -> None:
    assert all(examples(text) is not None for _, text in sections().values())
    assert PAGE.read_text(encoding="utf-8").count("```json") == sum(
        len(examples(text)) for _, text in sections().values()
    )
