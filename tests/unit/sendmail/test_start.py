"""Sendmail is small: what it loads, and how it is installed."""

import subprocess
import sys
import tomllib

from tests.support.server_process import ROOT, environment

_CORES = {"app", "backend", "backend.core", "backend.sasl", "backend.smtp"}


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
    )
    return set(done.stdout.splitlines()[-1].split())


def outside(names: set[str]) -> set[str]:
    """Neither of the standard library nor ours."""
    tops = {name.partition(".")[0] for name in names}
    return {top for top in tops if top not in sys.stdlib_module_names and not top.startswith("_")}


def test_it_loads_the_pure_cores_and_nothing_heavy():
    bare = loaded("pass")
    found = loaded(
        "import ssl, email.utils, tempfile\n"
        "from app.sendmail import command\n"
        "assert command.main(['--help']) == 0"
    )
    ours = {
        name for name in found if name.partition(".")[0] in {"app", "backend", "ui", "resources"}
    }
    packages = {".".join(name.split(".")[:2]) for name in ours}
    assert packages == _CORES | {"app.sendmail"}
    heavy = {"pydantic", "aiohttp", "PySide6", "sqlite3", "asyncio", "click", "cryptography", "dns"}
    assert not heavy & found
    assert outside(found) - outside(bare) == {"app", "backend", "idna"}


def test_gatepost_sendmail_goes_past_the_command_line_s_libraries():
    found = loaded(
        "import sys; sys.argv = ['gatepost', 'sendmail', '--help']\n"
        "from app.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0"
    )
    assert not {"click", "app.cli", "pydantic", "aiohttp"} & found


def test_it_is_installed_under_its_own_name_so_that_a_link_can_lead_to_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["gatepost-sendmail"] == "app.sendmail.command:main"
    assert project["scripts"]["gatepost"] == "app.__main__:main"


def test_the_help_of_gatepost_lists_it_and_options_before_it_do_not_hide_it(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "app", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    assert "sendmail" in run("--help").stdout
    done = run("--dir", str(tmp_path), "sendmail", "-oi", "-t", "--", "-a@b")
    assert (done.returncode, done.stdout) == (1, "")
    assert "need either exactly 1 recipient, or -t" in done.stderr
