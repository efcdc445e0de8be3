from pathlib import Path

import pytest

from console.supervisor.procfile import lines_of, processes_of, scale_of, shell_line
from shared.errors import Misconfigured

LINES = {"poller": "poll", "writer": "write", "web": "serve"}


def test_the_file_is_a_table_of_commands_in_its_order() -> None:
    text = "# what runs\n\nwriter: python -m w --flag\npoller:  A=b poll: now\n"
    assert list(lines_of(text).items()) == [("writer", "python -m w --flag"), ("poller", "A=b poll: now")]


@pytest.mark.parametrize(
    ("text", "named"), [("ok: x\nbroken\n", "line 2"), ("a: x\na: y\n", "line 2 names a"), ("a:\n", "line 1")]
)
def test_a_line_that_is_not_understood_is_named(text: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        lines_of(text)


def test_a_process_type_runs_once_unless_scaled() -> None:
    assert processes_of(LINES, scale={"writer": 3, "web": 0}) == {
        "poller": "poll",
        "writer.1": "write",
        "writer.2": "write",
        "writer.3": "write",
    }


def test_only_the_types_asked_for_run() -> None:
    assert processes_of(LINES, only=["web"]) == {"web": "serve"}


def test_a_type_the_file_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(Misconfigured, match="no process mailer: it has poller, writer, web"):
        processes_of(LINES, scale={"mailer": 2})
    with pytest.raises(Misconfigured, match="no process mailer"):
        processes_of(LINES, only=["mailer"])


def test_a_scale_is_a_name_and_a_number() -> None:
    assert scale_of(["writer=4", "web=0"]) == {"writer": 4, "web": 0}
    for wrong in ("writer", "writer=", "writer=-1", "writer=many", "=4"):
        with pytest.raises(Misconfigured, match="write it as writer=4"):
            scale_of([wrong])


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("python -m web", "exec python -m web"),
        ("PORT=1 A='b' python -m web", "PORT=1 A='b' exec python -m web"),
        ("prepare && python -m web", "prepare && python -m web"),
        ("python -c 'a; b & c'", "exec python -c 'a; b & c'"),
        ("echo 'open", "echo 'open"),
    ],
)
def test_the_shell_makes_way_for_a_single_program(command: str, line: str) -> None:
    assert shell_line(command) == line


def test_every_line_of_our_own_procfile_names_a_module_that_is_here() -> None:
    root = Path(__file__).parents[3]
    lines = lines_of((root / "Procfile").read_text())
    assert lines
    for command in lines.values():
        module = root.joinpath(*command.removeprefix("python -m ").split("."))
        assert module.with_suffix(".py").exists() or (module / "__main__.py").exists(), command
