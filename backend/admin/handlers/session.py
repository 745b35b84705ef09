"""Signing in and out, and the administrator's password."""

from aiohttp import web

from backend.admin import wire
from backend.admin.access import Caller
from backend.admin.agents import program_of
from backend.admin.build import build_id, version
from backend.admin.call import Call, Handler
from backend.admin.faults import DeniedError
from backend.admin.sessions import Session
from backend.api import sessions as ss
from backend.api import types as t
from backend.core.errors import NotFoundError
from backend.core.problems import Problem


async def hello(call: Call) -> t.Hello:
    return t.Hello(
        version=version(),
        build_id=build_id(),
        api_version=t.API_VERSION,
        signed_in=call.caller is not None,
        local=call.caller is not None and call.caller.is_local,
    )


async def sign_in(call: Call) -> t.Me | web.Response:
    if call.caller is not None and call.caller.is_local:
        return _me(call, call.caller)
    body = call.body(t.SignIn)
    keep = body.keep_signed_in
    secret, session = await call.access.sign_in(call.request, body.password, keep=keep)
    me = _me_of_session(call, session)
    reply = web.json_response(text=me.model_dump_json())
    call.access.set_cookie(call.request, reply, secret, session, keep=keep)
    return reply


async def me(call: Call) -> t.Me:
    assert call.caller is not None
    return _me(call, call.caller)


def _me(call: Call, caller: Caller) -> t.Me:
    if caller.session is None:
        return t.Me(name=caller.name, local=True)
    return _me_of_session(call, caller.session)


def _me_of_session(call: Call, session: Session) -> t.Me:
    return t.Me(
        name="admin",
        local=False,
        csrf_token=session.csrf_token,
        session=session.id,
        idle_until=wire.at(session.used + call.access.sessions.idle_s),
        expires_at=wire.at(session.expires),
    )


async def sign_out(call: Call) -> t.Empty | web.Response:
    assert call.caller is not None
    if call.caller.session is None:
        return t.Empty()
    call.access.sessions.close(call.caller.session.id)
    reply = web.json_response(text="{}")
    call.access.clear_cookie(call.request, reply)
    return reply


async def change_password(call: Call) -> t.NewPassword:
    assert call.caller is not None
    body = call.body(t.ChangeAdminPassword)
    access = call.access
    if call.caller.session is not None:
        await access.confirm(call.request, body.current)
    if body.new is None:
        made = await access.password.make()
    else:
        await access.password.change(body.new)
        made = None
    access.sessions.close_others(call.caller.session)
    return t.NewPassword(password=made)


async def sessions(call: Call) -> ss.AdminSessions:
    assert call.caller is not None
    own = call.caller.session
    return ss.AdminSessions(
        items=[
            ss.AdminSession(
                id=session.id,
                peer=session.peer,
                user_agent=session.user_agent,
                program=program_of(session.user_agent),
                created_at=wire.at(session.created),
                used_at=wire.at(session.used),
                expires_at=wire.at(session.expires),
                current=session is own,
            )
            for session in call.access.sessions.all()
        ]
    )


async def revoke_session(call: Call) -> t.Empty:
    if call.path("session") == "":
        raise DeniedError(404, "session.unknown", "The path names no session.")
    if not call.access.sessions.close(call.path("session")):
        raise NotFoundError(
            Problem(code="session.unknown", message="That session has ended already.")
        )
    return t.Empty()


HANDLERS: dict[str, Handler] = {
    "hello": hello,
    "sign_in": sign_in,
    "me": me,
    "sign_out": sign_out,
    "change_admin_password": change_password,
    "sessions": sessions,
    "revoke_session": revoke_session,
}
