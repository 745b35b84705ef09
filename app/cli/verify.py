"""Checking the stored mail."""

import asyncio
from typing import TYPE_CHECKING

import click

from app.cli.config import report
from app.cli.link import ask, runs
from app.cli.options import Folder, common, resolve

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.types import Job

POLL_S = 0.3


@click.command()
@common
def verify(folder: Folder, as_json: bool) -> None:
    """Check the stored mail against itself, whether the server runs or not."""
    target = resolve(folder)
    if runs(target):
        job = ask(target, lambda client: _watch(client, quiet=as_json), as_json=as_json)
        problems: list[dict[str, object]] = [p.model_dump(mode="json") for p in job.problems]
        if job.state != "done":
            click.echo(f"The check did not end: {job.text}", err=True)
            raise SystemExit(1)
    else:
        from app.serve import verify_folder

        problems = verify_folder(target)
    report(problems, as_json=as_json, well="The stored mail is in order.")


async def _watch(client: "Client", *, quiet: bool) -> "Job":
    job = await client.verify()
    said = ""
    while job.state == "running":
        await asyncio.sleep(POLL_S)
        job = await client.job(job.id)
        if not quiet and job.total and job.text != said:
            said = job.text
            click.echo(f"{job.text} ({job.done} of {job.total})", err=True)
    return job
