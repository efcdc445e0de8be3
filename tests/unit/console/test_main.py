"""The `connector` command: every failure is one line and an exit code."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from console.__main__ import COMMANDS, ERROR_LOG, connector, report, run
from shared.errors import ConnectorError, Held, Misconfigured, Retryable
from shared.findings import Finding

FINDING = Finding(code="account.missing", field="AccountNo", value="9999", message="No account 9999.", remedy="Add it.")
#: Nothing listens on port 1.
ABSENT = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}


def line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("connector: ")
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mapings", "list"], "did you mean 'mappings'?"),
        (["nonsense"], "There is no command 'nonsense'"),
        (["mappings", "list", "--jason"], "--jason"),
        (["--jason"], "--jason"),
        (["mappings", "import", "acounts", "x.csv"], "TABLE"),
        (["mappings", "import", "accounts"], "FILE"),
        (["credentials", "set", "ifs", "main"], "ifs has no accounts"),
        (["credentials", "set", "sap"], "sap"),
    ],
)
def test_a_wrong_command_line_is_exit_2(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments, ABSENT, tmp_path) == 2
    assert words in line(capsys)


def test_no_command_shows_the_list_and_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], {}, tmp_path) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "migrate" in captured.err


@pytest.mark.parametrize("variables", [{}, {"DATABASE_URL": "nonsense"}])
def test_help_and_version_need_nothing(
    variables: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--help"], variables, tmp_path) == 0
    assert "credentials" in capsys.readouterr().out
    assert run(["--version"], variables, tmp_path) == 0
    assert capsys.readouterr().out.startswith("connector ")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_environment_is_exit_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate"], {"DATABASE_URL": "mysql://me:hunter2@db/x"}, tmp_path) == 5
    assert "hunter2" not in line(capsys)


def test_a_database_that_is_not_there_fails_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mappings", "list"], ABSENT, tmp_path) == 1
    assert "PostgreSQL cannot be reached" in line(capsys)


def test_a_new_key_needs_no_server_and_prints_only_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["credentials", "new-key"], ABSENT, tmp_path) == 0
    captured = capsys.readouterr()
    assert (len(captured.out.strip()), captured.err) == (44, "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misconfigured("Set it."), 5),
        (Held([FINDING]), 3),
        (Retryable("Later."), 1),
        (ConnectorError("No."), 1),
        (click.UsageError("No."), 2),
        (click.ClickException("No."), 1),
        (click.Abort(), 1),
        (ValueError("a bug"), 1),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(
    error: Exception, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, {}, tmp_path) == code
    line(capsys)


def test_a_bug_is_one_line_for_people_and_a_private_file_for_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = RuntimeError("GET failed\nAuthorization: Bearer hunter2hunter2")
    assert report(error, {}, tmp_path) == 1
    assert "RuntimeError: GET failed" in line(capsys)
    file = tmp_path / ERROR_LOG
    assert file.stat().st_mode & 0o777 == 0o600
    assert "RuntimeError" in file.read_text()
    assert "hunter2" not in file.read_text()


def test_a_message_never_repeats_a_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(Misconfigured("cannot use postgresql://me:hunter2@db/x"), {}, tmp_path)
    assert "hunter2" not in line(capsys)


def test_every_command_listed_has_code_and_a_command_of_its_own() -> None:
    context = click.Context(connector)
    listed = connector.list_commands(context)
    assert {"migrate", "credentials", "mappings"} <= set(listed) <= set(COMMANDS)
    for name in listed:
        assert connector.get_command(context, name) is not None


def test_every_command_module_is_listed() -> None:
    modules = {path.stem for path in (Path(__file__).parents[3] / "console" / "commands").glob("[a-z]*.py")}
    assert modules <= set(COMMANDS)


def test_output_that_nobody_reads_to_its_end_is_no_traceback() -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "console", "--help"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
