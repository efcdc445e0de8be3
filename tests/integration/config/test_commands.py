"""`migrate`, `credentials` and `mappings` as an operator types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.config.encryption import new_key

ROOT = Path(__file__).parents[3]
SECRET = '{"client_id": "me", "client_secret": "hunter2"}'


class Shell:
    """One folder and one environment to run the command in."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = variables

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.variables}
        done = subprocess.run(
            [sys.executable, "-m", "console", *arguments],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments: str, stdin: str = "") -> object:
        code, out, err = self(*arguments, "--json", stdin=stdin)
        assert (code, err) == (0, "")
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Shell:
    variables = {"DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1/0", "CONNECTOR_MASTER_KEY": new_key()}
    return Shell(tmp_path, variables)


def test_migrating_again_does_nothing(shell: Shell) -> None:
    assert shell.json("migrate") == {"applied": []}


def test_credentials_go_in_and_never_come_out(shell: Shell) -> None:
    assert shell.json("credentials", "set", "ifs", stdin=SECRET) == {"name": "ifs", "stored": True}
    listed = shell.json("credentials", "list")
    assert isinstance(listed, list)
    assert [sorted(row) for row in listed] == [["key_id", "name", "updated_at"]]
    for arguments in (["credentials", "list"], ["credentials", "set", "ifs"], ["credentials", "rotate-key"]):
        code, out, err = shell(*arguments, stdin=SECRET)
        assert code == 0
        assert "hunter2" not in out + err


def test_a_key_is_changed_without_storing_anything_again(shell: Shell) -> None:
    shell("credentials", "set", "ifs", stdin=SECRET)
    old = shell.variables["CONNECTOR_MASTER_KEY"]
    shell.variables["CONNECTOR_MASTER_KEY"] = new_key()
    code, _, err = shell("credentials", "rotate-key")
    assert (code, "not configured" in err) == (5, True)
    shell.variables["CONNECTOR_MASTER_KEY"] += f",{old}"
    rotated = shell.json("credentials", "rotate-key")
    assert isinstance(rotated, dict)
    assert rotated["rotated"] == 1


def test_a_document_that_is_not_credentials_is_exit_5(shell: Shell) -> None:
    code, out, err = shell("credentials", "set", "ifs", stdin='{"client_id": "hunter2"}')
    assert (code, out) == (5, "")
    assert "client_secret" in err
    assert "hunter2" not in err


def test_credentials_are_for_an_account_of_the_settings(shell: Shell) -> None:
    keys = '{"account_id": "a", "application_keys": ["k"]}'
    (shell.folder / "connector.toml").write_text(
        '[ifs]\nbase_url = "https://a.example"\nrealm = "r"\n[cin7.main]\n[cin7.second]\n'
    )
    code, _, err = shell("credentials", "set", "cin7", stdin=keys)
    assert (code, "several Cin7 accounts (main, second)" in err) == (2, True)
    code, _, err = shell("credentials", "set", "cin7", "secnd", stdin=keys)
    assert (code, "did you mean 'second'?" in err) == (2, True)
    assert shell.json("credentials", "set", "cin7", "second", stdin=keys) == {"name": "cin7/second", "stored": True}


def test_tables_go_in_and_out(shell: Shell) -> None:
    file = shell.folder / "accounts.csv"
    file.write_bytes("\ufeffcompany,ifs_account,cin7_code\r\n10,9999,400\r\n".encode())
    assert shell.json("mappings", "import", "accounts", str(file)) == {
        "table": "accounts",
        "added": 1,
        "changed": 0,
        "removed": 0,
        "unchanged": 0,
        "released": [],
    }
    code, out, _ = shell("mappings", "export", "accounts")
    assert (code, out) == (0, "company,ifs_account,cin7_code\n10,9999,400\n")
    assert shell.json("mappings", "export", "accounts") == [
        {"company": "10", "ifs_account": "9999", "cin7_code": "400"}
    ]
    code, out, _ = shell("mappings", "import", "accounts", "-", stdin=out)
    assert (code, out) == (0, "accounts: 0 added, 0 changed, 0 removed, 1 unchanged.\n")
    code, out, _ = shell("mappings", "list")
    assert code == 0
    assert "accounts" in out


def test_a_bad_file_is_named_with_line_and_column(shell: Shell) -> None:
    file = shell.folder / "taxes.csv"
    file.write_text("company,ifs_code,cin7_tax_rule,percent\n10,A,GST,10\n10,B,GST,ten\n")
    code, out, err = shell("mappings", "import", "tax_codes", str(file))
    assert (code, out) == (5, "")
    assert f"{file}, line 3, column percent: write a percentage" in err
    file.write_bytes("company,ifs_code,cin7_tax_rule\n10,Å,GST\n".encode("latin-1"))
    code, _, err = shell("mappings", "import", "tax_codes", str(file))
    assert (code, "line 2: not UTF-8" in err) == (5, True)
    assert shell("mappings", "import", "tax_codes", str(shell.folder / "none.csv"))[0] == 2
    assert shell("mappings", "export", "tax_codes")[1].count("\n") == 1


def test_a_key_is_needed_beside_a_database_of_ones_own(shell: Shell) -> None:
    del shell.variables["CONNECTOR_MASTER_KEY"]
    code, _, err = shell("credentials", "set", "ifs", stdin=SECRET)
    assert (code, "CONNECTOR_MASTER_KEY_FILE" in err) == (5, True)


@pytest.mark.slow
def test_first_steps_need_no_server_and_no_key(own_folder: Path) -> None:
    shell = Shell(own_folder, {})
    code, _, err = shell("mappings", "list")
    assert (code, "connector migrate" in err) == (5, True)
    assert shell("migrate")[0] == 0
    code, _, err = shell("credentials", "set", "ifs", stdin=SECRET)
    assert (code, "Made a master key" in err) == (0, True)
    code, out, err = shell("credentials", "list")
    assert (code, "ifs" in out, err) == (0, True, "")
