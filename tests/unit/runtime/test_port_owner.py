"""The program on a port is named."""

import asyncio
import socket
import subprocess
import sys

from backend.core.errors import ConfigError
from backend.runtime.listeners import Endpoint, Listeners, Service
from backend.runtime.port_owner import owner_of

HOLD = "import socket,sys; s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True); sys.stdin.read()"


async def test_the_message_names_the_program_that_has_the_port():
    with subprocess.Popen(  # a program of the test's own
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        owner = owner_of(port)
        assert owner.startswith("python")
        assert f"(process {other.pid})" in owner
        listeners = Listeners()
        try:
            await listeners.update({Endpoint("smtp", "127.0.0.1", port): Service(asyncio.Protocol)})
        except ConfigError as error:
            assert owner in error.problems[0].message
            assert "server.toml" in error.problems[0].fix
        else:
            raise AssertionError("the port was taken")
        finally:
            await listeners.close()
            other.communicate("")


def test_a_port_of_ones_own_or_of_nobody_has_no_owner():
    with socket.create_server(("127.0.0.1", 0)) as mine:
        assert owner_of(mine.getsockname()[1]) == ""
    assert owner_of(1) == ""
