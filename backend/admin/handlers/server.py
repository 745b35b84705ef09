"""The process and its long work: stop, restart, verify."""

import asyncio

from backend.admin.call import Call, Handler
from backend.admin.jobs import VERIFY
from backend.api import types as t

REPLY_FIRST_S = 0.2  # the reply leaves before the server ends


async def shut_down(call: Call) -> t.Accepted:
    server = call.services.server
    asyncio.get_running_loop().call_later(REPLY_FIRST_S, server.shut_down)
    return t.Accepted(text="The server stops. No mail is received until it is started again.")


async def restart(call: Call) -> t.Accepted:
    server = call.services.server
    asyncio.get_running_loop().call_later(REPLY_FIRST_S, server.restart)
    return t.Accepted(text="The server restarts; it is back in a few seconds.")


async def verify(call: Call) -> t.Job:
    return call.services.jobs.start(VERIFY, call.services.server.verify)


async def jobs(call: Call) -> t.Jobs:
    return t.Jobs(items=call.services.jobs.all())


async def job(call: Call) -> t.Job:
    return call.services.jobs.get(call.path("job"))


async def cancel_job(call: Call) -> t.Job:
    return await call.services.jobs.cancel(call.path("job"))


async def see_job(call: Call) -> t.Job:
    return call.services.jobs.see(call.path("job"))


HANDLERS: dict[str, Handler] = {
    "shut_down": shut_down,
    "restart": restart,
    "verify": verify,
    "jobs": jobs,
    "job": job,
    "cancel_job": cancel_job,
    "see_job": see_job,
}
