"""A real server that is killed in the middle of a wizard: it stands where it was, and is applied once or not at all."""

import asyncio
from pathlib import Path

from backend.api import flows as w
from backend.api.client import Client, NotReachableError
from backend.config.model import Listener
from tests.support.flows import Walk, begin
from tests.support.server_process import Serve
from tests.support.settings import new_folder

KILLED_AFTER_S = (
    0.0,
    0.02,
    0.06,
    0.15,
)  # where in the work that falls is left to chance; each place must be right


async def to_review(client: Client, name: str) -> Walk:
    walk = await begin(client, "account")
    await walk.next(full_name="Clara", local_part=name, domain="example.org")
    await walk.next(addresses=f"{name}.more@example.org")
    await walk.next(how="set", password="correct horse battery")
    assert walk.step.step == "review"
    return walk


async def commit(folder: Path, flow: str) -> None:
    try:
        async with Client.of_folder(folder) as client:
            await client.move_flow(flow, w.FlowMove(action="next", at="review"))
    except NotReachableError:
        pass  # it was killed before it could answer


async def test_a_wizard_outlives_a_kill_and_is_applied_once(tmp_path):
    folder = new_folder(tmp_path, listeners={"none": Listener(addresses=["127.0.0.1"])})
    with Serve(tmp_path) as server:
        for number, moment in enumerate(KILLED_AFTER_S):
            name = f"clara{number}"
            async with Client.of_folder(tmp_path) as client:
                flow = (await to_review(client, name)).step.id
            async with asyncio.TaskGroup() as group:
                group.create_task(commit(tmp_path, flow), name="commit")
                await asyncio.sleep(moment)
                server.kill()
            server.start()
            async with Client.of_folder(tmp_path) as client:
                walk = Walk(client, await client.flow(flow))
                assert walk.step.step in {"review", "done"}
                if walk.step.step == "review":
                    await walk.next()
                assert walk.step.step == "done"
                assert len((await client.account(name)).addresses) == 2
                await walk.next()
                assert await client.flows() == []
        assert not list(folder.flows.glob("*"))
        assert not (folder.secrets / "flows").exists()
