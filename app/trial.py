"""`gatepost trial`: a complete practice server on this computer, for people who try and for programs that test.

The line that `--json` prints when all ports answer is a contract: keys may be added, none is taken away.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def run(
    folder: Path,
    *,
    port_base: int | None = None,
    as_json: bool = False,
    accounts: Sequence[tuple[str, str]] = (),
    console: bool = False,
) -> int:
    """Serves until SIGTERM or SIGINT; the exit code. `accounts`: pairs of address and password."""
    from app.serve import run_practice

    def ready(values: dict[str, Any]) -> None:
        print(json.dumps(values) if as_json else _for_people(values), flush=True)

    return run_practice(
        folder, port_base=port_base, accounts=accounts, console=console, on_ready=ready
    )


def _for_people(values: dict[str, Any]) -> str:
    host, port = values["imap"]
    admin = values["admin"]
    lines = [
        "Gatepost runs in practice mode: nothing leaves this computer.",
        "",
        f"  In a browser    {admin['url']}",
        f"                  password {admin['password']}",
        "",
        f"  Read mail       IMAP  {host} port {port} (STARTTLS) or {values['imaps'][1]} (TLS)",
        f"  Send mail       SMTP  {host} port {values['submission'][1]} (STARTTLS) or {values['submissions'][1]} (TLS)",
        f"  Receives on     SMTP  {host} port {values['smtp'][1]}",
    ]
    for number, account in enumerate(values["accounts"]):
        title = "Accounts" if number == 0 else ""
        lines.append(f"  {title:14}  {account['address']}  password {account['password']}")
    lines += [
        f"  Certificate     {values['ca_file']} (let mail programs trust this one)",
        f"  Data            {values['data_dir']}",
        "",
        "Ctrl+C stops it; the same command starts it again with the same mail.",
    ]
    return "\n".join(lines)


def parse_account(text: str) -> tuple[str, str]:
    """`ADDRESS:PASSWORD`.

    Raises:
        ValueError: with a sentence for people.
    """
    address, colon, password = text.partition(":")
    if not colon or "@" not in address or not password:
        raise ValueError(f"“{text}” is not ADDRESS:PASSWORD, such as me@gatepost.test:secret")
    return address, password
