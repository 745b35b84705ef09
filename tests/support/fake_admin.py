"""A server of the admin API without a mail server behind it: the same routes, on the same socket, from plain lists.

    async with FakeAdmin(folder) as admin:
        admin.accounts["me"] = an_account("me")
        admin.push(types.QueueEvent(id=1, state="held"))

Its replies go through the same pydantic types as the real one's. `broken` makes every route answer 500; `gate` (an
asyncio.Event) holds every reply back until it is set.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from backend.admin.attention import card
from backend.admin.specs.library import spec_json
from backend.api import aliases as a
from backend.api import connect as c
from backend.api import delivery as w
from backend.api import dkim as d
from backend.api import dns, flows
from backend.api import domains as o
from backend.api import forms as f
from backend.api import overview as ov
from backend.api import queue as q
from backend.api import sessions as ss
from backend.api import signins as si
from backend.api import tls_reports as r
from backend.api import types as t
from backend.api.endpoint import SocketPath, note_file, socket_file
from backend.api.route import Route
from backend.api.routes import EVENT_STREAM, ROUTES
from ui.presenters.form_values import begin_all

NOW = datetime.now(UTC)


def an_account(name: str, full_name: str = "", *addresses: str, **values: Any) -> t.Account:
    shown = addresses or (f"{name}@gatepost.test",)
    return t.Account.model_validate(
        {
            "id": name,
            "domain": shown[0].rpartition("@")[2],
            "full_name": full_name,
            "address": shown[0],
            "addresses": [{"address": one, "catch_all": one.startswith("@")} for one in shown],
            "max_outgoing_messages_per_day": 1000,
            "max_first_time_recipients_per_day": 200,
            **values,
        }
    )


def a_queue_item(number: int, recipient: str = "", **values: Any) -> t.QueueItem:
    return t.QueueItem.model_validate(
        {
            "id": number,
            "trace": f"q{number}",
            "sender": "me@gatepost.test",
            "recipient": recipient or f"person{number}@example.org",
            "size_bytes": 2400 + number,
            "state": "waiting",
            "created_at": NOW - timedelta(minutes=number),
            "next_attempt_at": NOW + timedelta(minutes=7),
            **values,
        }
    )


def a_step(kind: str, text: str, seconds: float = 0, **details: str) -> t.TimelineStep:
    return t.TimelineStep(
        at=NOW + timedelta(seconds=seconds), kind=kind, text=text, details=details
    )


def a_summary(
    trace: str, direction: str, sender: str, to: str, outcome: str, text: str, minutes: float = 0
) -> t.TraceSummary:
    at = NOW - timedelta(minutes=minutes)
    return t.TraceSummary.model_validate(
        {
            "trace": trace,
            "started_at": at,
            "last_at": at,
            "direction": direction,
            "sender": sender,
            "recipients": [to],
            "outcome": outcome,
            "text": text,
        }
    )


def a_log_line(
    seq: int, level: str = "info", message: str = "message accepted", **fields: Any
) -> t.LogLine:
    return t.LogLine.model_validate(
        {
            "seq": seq,
            "at": NOW,
            "level": level,
            "logger": "smtpd.session",
            "message": message,
            "fields": fields,
        }
    )


def a_check(**values: Any) -> dns.Check:
    return dns.Check.model_validate(
        {
            "id": "mx",
            "code": "mx",
            "area": "receive",
            "title": "Where mail for you goes",
            "purpose": "Tells other servers that this one takes your mail.",
            "severity": "required",
            "name": "example.org",
            "type": "MX",
            "result": "missing",
            "state": "fail",
            "word": "missing",
            "summary": "It is not there.",
            **values,
        }
    )


def a_group(check: dns.Check) -> dns.CheckGroup:
    return dns.CheckGroup(
        area=check.area,
        title="Needed to receive",
        purpose="",
        done=0,
        total=1,
        progress="0 of 1",
        state=check.state,
    )


class FakeAdmin:
    """Lists that a test fills and reads back; `calls` are the names of the routes in the order they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.broken = False
        self.gate: asyncio.Event | None = None
        self.api_version = t.API_VERSION
        self.password = ""
        self.practice = True
        self.headline = "Mail is working."
        self.verdict = "ok"
        self.problems: list[t.Problem] = []
        self.counters = t.Counters()
        self.domains: dict[str, t.Domain] = {}
        self.accounts: dict[str, t.Account] = {}
        self.aliases: dict[str, a.Alias] = {}
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}
        self.queue: dict[int, t.QueueItem] = {}
        self.details: dict[int, t.QueueDetail] = {}
        self.traces: dict[str, t.Trace] = {}
        self.lines: list[t.LogLine] = []
        self.passwords: dict[str, str] = {}
        self._streams: list[asyncio.Queue[str | None]] = []
        self._log_streams: list[asyncio.Queue[str | None]] = []
        self._runner: web.AppRunner | None = None
        self._socket: SocketPath | None = None
        self._event_id = 0

    # ---- life

    async def start(self) -> None:
        run = socket_file(self.folder).parent
        run.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "server.toml").touch()
        app = web.Application()
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._handler(route))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self._socket = SocketPath(self.folder)
        socket_file(self.folder).unlink(missing_ok=True)
        await web.UnixSite(self._runner, self._socket.text).start()
        note_file(self.folder).write_text(json.dumps({"pid": 1, "ports": {}}))

    async def stop(self) -> None:
        for queue in [*self._streams, *self._log_streams]:
            queue.put_nowait(None)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        socket_file(self.folder).unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        return self._runner is not None

    @property
    def listeners(self) -> int:
        return len(self._streams)

    # ---- events

    def push(self, event: t.Reply) -> None:
        self._event_id += 1
        text = f"id: {self._event_id}\ndata: {event.model_dump_json()}\n\n"
        for queue in self._streams:
            queue.put_nowait(text)

    def write_log(self, line: t.LogLine) -> None:
        self.lines.append(line)
        for queue in self._log_streams:
            queue.put_nowait(f"data: {line.model_dump_json()}\n\n")

    # ---- requests

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        answer = getattr(self, f"_{route.name}", None)

        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls.append(route.name)
            if self.gate is not None and route.name not in {"hello", "events"}:
                await self.gate.wait()
            if self.broken and route.name not in {"hello", "events"}:
                return _refusal(500, "internal", "Something went wrong inside the server.")
            if route.raw == EVENT_STREAM:
                return await self._stream(request, route)
            if answer is None:
                return _refusal(404, "not_found", f"The fake has no {route.name}.")
            body: Any = None
            if route.request is not None:
                body = route.request.model_validate_json(await request.read())
            try:
                reply = answer(request, body)
            except Refusal as refusal:
                return _refusal(refusal.status, refusal.code, str(refusal), refusal.path)
            if isinstance(reply, str):
                return web.Response(text=reply)
            return web.Response(
                text=reply.model_dump_json(), status=route.status, content_type="application/json"
            )

        return handle

    async def _stream(self, request: web.Request, route: Route) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM})
        await response.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        streams = self._log_streams if route.name == "log_stream" else self._streams
        if route.name == "log_stream":
            after = int(request.query.get("after", 0))
            for line in self.lines:
                if line.seq > after:
                    queue.put_nowait(f"data: {line.model_dump_json()}\n\n")
        streams.append(queue)
        try:
            while (text := await queue.get()) is not None:
                await response.write(text.encode())
        except ConnectionError:
            pass
        finally:
            streams.remove(queue)
        return response

    # ---- one method for each route, named as the route

    def _hello(self, _request: web.Request, _body: Any) -> t.Hello:
        return t.Hello(
            version="0.1.0",
            build_id="fake",
            api_version=self.api_version,
            signed_in=not self.password,
            local=not self.password,
        )

    def _sign_in(self, _request: web.Request, body: t.SignIn) -> t.Me:
        if body.password != self.password:
            raise Refusal(401, "sign_in", "The password is wrong.")
        return t.Me(name="admin", local=False, csrf_token="token")

    def _change_admin_password(self, _request: web.Request, _body: Any) -> t.NewPassword:
        return t.NewPassword(password="new-admin-password-1234")

    def _sessions(self, _request: web.Request, _body: Any) -> ss.AdminSessions:
        return ss.AdminSessions(items=[])

    def _status(self, _request: web.Request, _body: Any) -> t.Status:
        return t.Status.model_validate(
            {
                "verdict": self.verdict,
                "headline": self.headline,
                "problems": self.problems,
                "counters": self.counters,
                "ports": [
                    {
                        "listener": "local",
                        "service": service,
                        "host": "127.0.0.1",
                        "port": port,
                        "security": security,
                        "purpose": purpose,
                    }
                    for service, port, security, purpose in (
                        ("smtp", 2525, "starttls", "Mail from other servers"),
                        ("submission", 2587, "starttls", "Mail from mail programs"),
                        ("submissions", 2465, "tls", "Mail from mail programs"),
                        ("imap", 2143, "starttls", "Mail programs read here"),
                        ("imaps", 2993, "tls", "Mail programs read here"),
                        ("http", 2080, "none", "Administration in a browser"),
                    )
                ],
                "disk": {"free_bytes": 41_000_000_000, "total_bytes": 120_000_000_000},
                "version": "0.1.0",
                "build_id": "fake",
                "pid": 4242,
                "started_at": datetime.now(UTC) - timedelta(hours=3, minutes=12),
                "uptime_s": 11520,
                "memory_bytes": 74_000_000,
                "hostname": "mail.gatepost.test",
                "practice_mode": self.practice,
                "data_folder": str(self.folder),
                "web_url": "http://127.0.0.1:2080/admin",
                "domains": len(self.domains),
                "accounts": len(self.accounts),
                "config_revision": 3,
            }
        )

    def _overview(self, _request: web.Request, _body: Any) -> ov.Overview:
        counters = self.counters
        figures = {
            "received": counters.received,
            "sent": counters.sent,
            "waiting": counters.queue_waiting,
            "rejected": counters.rejected,
        }
        summaries = [trace.summary for trace in self.traces.values()]
        return ov.Overview.model_validate(
            {
                "verdict": self.verdict,
                "tone": {"ok": "ok", "attention": "warn", "problem": "error"}[self.verdict],
                "headline": self.headline,
                "about": "mail.gatepost.test",
                "practice_mode": self.practice,
                "sending_paused": False,
                "accounts": len(self.accounts),
                "attention": [card(problem) for problem in self.problems],
                "acknowledged": [],
                "stats": [
                    {
                        "id": name,
                        "label": name.title(),
                        "value": value,
                        "note": "today",
                        "path": "/activity",
                        "icon": "mail",
                        "days": [1, 2, value],
                    }
                    for name, value in figures.items()
                ],
                "recent": sorted(summaries, key=lambda i: i.last_at, reverse=True)[:8],
                "facts": [{"label": "Version", "value": "0.1.0"}],
                "disk": {"free_bytes": 41_000_000_000, "total_bytes": 120_000_000_000},
                "steps": [],
                "flows": [],
            }
        )

    def _jobs(self, _request: web.Request, _body: Any) -> t.Jobs:
        return t.Jobs(items=[])

    def _search_forms(self, _request: web.Request, _body: Any) -> f.Found:
        space = f.FoundItem(
            title="Space", kind="field", path="/accounts", context="Account", words="quota"
        )
        return f.Found(items=[space])

    def _flows(self, _request: web.Request, _body: Any) -> flows.Flows:
        return flows.Flows(items=[])

    def _domains(self, _request: web.Request, _body: Any) -> t.Domains:
        return t.Domains(items=list(self.domains.values()))

    def _dns_check(self, _request: web.Request, _body: Any) -> dns.DnsCheck:
        check = a_check()
        return dns.DnsCheck(
            domain="example.org",
            unicode="example.org",
            practice_mode=False,
            checked_at=datetime.now(UTC),
            headline="Mail can't be received yet.",
            state="fail",
            groups=[a_group(check)],
            items=[check],
            provider=dns.Provider(id="", name="", steps=["Open the form."]),
        )

    def _health(self, _request: web.Request, _body: Any) -> dns.Health:
        check = a_check(area="server", type="")
        return dns.Health(
            practice_mode=False,
            checked_at=datetime.now(UTC),
            headline="A fault.",
            state="fail",
            groups=[a_group(check)],
            items=[check],
        )

    def _form_spec(self, request: web.Request, _body: Any) -> f.Spec:
        found = spec_json(request.match_info["form"], "en")
        if found is None:
            raise Refusal(404, "not_found", "There is no such form.")
        return f.Spec.model_validate_json(found[0])

    def _form(self, request: web.Request, _body: Any) -> f.FormValues:
        spec = self._form_spec(request, None)
        name = request.match_info["key"]
        return f.FormValues(id=spec.id, key=name, values=begin_all(spec.fields), revision=3)

    def _save_form(self, request: web.Request, body: f.SaveForm) -> f.Saved:
        self.saved[request.match_info["form"], request.match_info["key"]] = body.values
        return f.Saved(revision=4, values=body.values)

    def _domain(self, request: web.Request, _body: Any) -> o.DomainView:
        name = request.match_info["domain"]
        if name not in self.domains:
            raise Refusal(404, "not_found", f"There is no domain {name}.")
        return o.DomainView(domain=self.domains[name])

    def _addresses(self, _request: web.Request, _body: Any) -> o.AddressEntries:
        return o.AddressEntries(items=[])

    def _account_steps(self, request: web.Request, _body: Any) -> o.NextSteps:
        self._one(request)
        return o.NextSteps()

    def _aliases(self, _request: web.Request, _body: Any) -> a.Aliases:
        return a.Aliases(items=list(self.aliases.values()))

    def _dkim(self, request: web.Request, _body: Any) -> d.Dkim:
        return d.Dkim(domain=request.match_info["domain"], sign=[], selectors=[])

    def _dns_records(self, request: web.Request, _body: Any) -> dns.DnsRecords:
        name = request.match_info["domain"]
        return dns.DnsRecords(domain=name, practice_mode=True, items=[], zone="")

    def _tls_outcomes(self, _request: web.Request, _body: Any) -> r.TlsOutcomeList:
        return r.TlsOutcomeList(items=[], total=0)

    def _send_limits(self, request: web.Request, _body: Any) -> q.SendLimits:
        account = self._one(request)
        return q.SendLimits(
            account=account.id,
            messages=q.SendLimit(used=3, limit=1000),
            first_time=q.SendLimit(used=1, limit=200),
        )

    def _sign_ins(self, _request: web.Request, _body: Any) -> si.SignIns:
        return si.SignIns(items=[])

    def _add_domain(self, _request: web.Request, body: t.AddDomain) -> t.Domain:
        if body.name in self.domains:
            raise Refusal(409, "domain.exists", f"{body.name} is there already.", "/name")
        self.domains[body.name] = t.Domain(
            name=body.name, unicode=body.name, description=body.description
        )
        return self.domains[body.name]

    def _remove_domain(self, request: web.Request, _body: Any) -> t.Empty:
        self.domains.pop(request.match_info["domain"])
        return t.Empty()

    def _accounts(self, _request: web.Request, _body: Any) -> t.Accounts:
        return t.Accounts(items=list(self.accounts.values()), total=len(self.accounts))

    def _add_account(self, _request: web.Request, body: t.AddAccount) -> t.NewAccount:
        name = body.address.partition("@")[0]
        if name in self.accounts:
            raise Refusal(
                409, "address.taken", f"{body.address} belongs to somebody already.", "/address"
            )
        self.accounts[name] = an_account(name, body.full_name, body.address)
        self.passwords[name] = body.password or "made-up-password-42"
        return t.NewAccount(
            account=self.accounts[name],
            password=None if body.password else "made-up-password-42",
        )

    def _one(self, request: web.Request) -> t.Account:
        name = request.match_info["account"]
        if name not in self.accounts:
            raise Refusal(404, "not_found", f"There is no account {name}.")
        return self.accounts[name]

    def _account(self, request: web.Request, _body: Any) -> t.Account:
        return self._one(request)

    def _change_account(self, request: web.Request, body: t.ChangeAccount) -> t.Account:
        account = self._one(request).model_copy(update=body.model_dump(exclude_none=True))
        self.accounts[account.id] = account
        return account

    def _remove_account(self, request: web.Request, _body: Any) -> t.Empty:
        self.accounts.pop(self._one(request).id)
        return t.Empty()

    def _set_password(self, request: web.Request, body: t.SetPassword) -> t.NewPassword:
        self.passwords[self._one(request).id] = body.password or "another-made-up-43"
        return t.NewPassword(password=None if body.password else "another-made-up-43")

    def _add_address(self, request: web.Request, body: t.AddAddress) -> t.Account:
        account = self._one(request)
        added = t.AccountAddress(address=body.address, catch_all=body.address.startswith("@"))
        self.accounts[account.id] = account.model_copy(
            update={"addresses": [*account.addresses, added]}
        )
        return self.accounts[account.id]

    def _change_address(self, request: web.Request, _body: Any) -> t.Account:
        return self._one(request)

    def _add_dkim_selector(self, request: web.Request, _body: Any) -> d.Dkim:
        return self._dkim(request, None)

    def _choose_dkim_selectors(self, request: web.Request, _body: Any) -> d.Dkim:
        return self._dkim(request, None)

    def _remove_dkim_selector(self, request: web.Request, _body: Any) -> d.Dkim:
        return self._dkim(request, None)

    def _remove_address(self, request: web.Request, _body: Any) -> t.Empty:
        account, gone = self._one(request), request.match_info["address"]
        kept = [item for item in account.addresses if item.address != gone]
        self.accounts[account.id] = account.model_copy(update={"addresses": kept})
        return t.Empty()

    def _client_settings(self, request: web.Request, _body: Any) -> c.ClientSettings:
        account = self._one(request)
        address = account.addresses[0].address if account.addresses else account.id
        return c.ClientSettings.model_validate(
            {
                "account": account.id,
                "full_name": account.full_name,
                "address": address,
                "incoming": [
                    {
                        "protocol": "imap",
                        "host": "127.0.0.1",
                        "port": 2993,
                        "security": "tls",
                        "user_name": address,
                        "recommended": True,
                    },
                    {
                        "protocol": "imap",
                        "host": "127.0.0.1",
                        "port": 2143,
                        "security": "starttls",
                        "user_name": address,
                    },
                ],
                "outgoing": [
                    {
                        "protocol": "smtp",
                        "host": "127.0.0.1",
                        "port": 2465,
                        "security": "tls",
                        "user_name": address,
                        "recommended": True,
                    },
                    {
                        "protocol": "smtp",
                        "host": "127.0.0.1",
                        "port": 2587,
                        "security": "starttls",
                        "user_name": address,
                    },
                ],
                "practice_mode": self.practice,
                "trust_note": "Save the certificate of this server and let the mail program trust it, or accept its warning once.",
                "ca_path": "/api/v1/tls/ca.pem",
            }
        )

    def _ca_certificate(self, _request: web.Request, _body: Any) -> str:
        return "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"

    def _send_test_message(self, request: web.Request, _body: Any) -> c.TestMessageSent:
        account = self._one(request)
        number = len(self.traces) + 1
        trace, address = f"t{number}", account.addresses[0].address
        steps = [
            ("received", "Connection from 127.0.0.1 with TLS", 0.0),
            ("accepted", f"Accepted for {address}", 0.06),
            ("delivered", "Delivered to INBOX", 0.11),
        ]
        made = [a_step(kind, text, seconds) for kind, text, seconds in steps]
        summary = a_summary(
            trace, "in", "postmaster@gatepost.test", address, "delivered", "Delivered to INBOX"
        )
        self.traces[trace] = t.Trace(summary=summary, steps=made)
        for step in made:
            self.push(t.TimelineEvent(trace=trace, step=step))
        return c.TestMessageSent(trace=trace, address=address)

    def _queue(self, request: web.Request, _body: Any) -> t.QueueList:
        query = t.QueueQuery.model_validate(dict(request.query))
        found = [
            item
            for item in self.queue.values()
            if (query.state is None or item.state == query.state)
            and query.text in f"{item.sender} {item.recipient} {item.last_answer}"
        ]
        start = int(query.cursor or 0)
        end = start + query.limit
        return t.QueueList(
            items=found[start:end],
            next=str(end) if end < len(found) else "",
            total=len(found),
            waiting=sum(item.state == "waiting" for item in self.queue.values()),
            held=sum(item.state == "held" for item in self.queue.values()),
        )

    def _queue_groups(self, _request: web.Request, _body: Any) -> q.QueueGroups:
        return q.QueueGroups(items=[])

    def _hold_rules(self, _request: web.Request, _body: Any) -> q.HoldRules:
        return q.HoldRules(items=[])

    def _transports(self, _request: web.Request, _body: Any) -> w.Transports:
        return w.Transports(items=[], revision=3)

    def _queue_item(self, request: web.Request, _body: Any) -> t.QueueDetail:
        number = int(request.match_info["id"])
        if number in self.details:
            return self.details[number].model_copy(update={"item": self.queue[number]})
        if number not in self.queue:
            raise Refusal(404, "not_found", "It is not in the queue any more.")
        return t.QueueDetail(item=self.queue[number], attempts=[])

    def _act(self, body: q.QueueIds, state: str) -> q.QueueActed:
        there = [number for number in body.ids if number in self.queue]
        for number in there:
            if state in {"dropped", "failed"}:
                del self.queue[number]
            else:
                self.queue[number] = self.queue[number].model_copy(update={"state": state})
            self.push(t.QueueEvent(id=number, state=state))
        return q.QueueActed(changed=len(there), missing=[n for n in body.ids if n not in there])

    def _kick(self, _request: web.Request, body: q.QueueIds) -> q.QueueActed:
        return self._act(body, "waiting")

    def _hold(self, _request: web.Request, body: q.QueueIds) -> q.QueueActed:
        return self._act(body, "held")

    def _release(self, _request: web.Request, body: q.QueueIds) -> q.QueueActed:
        return self._act(body, "waiting")

    def _drop(self, _request: web.Request, body: q.QueueIds) -> q.QueueActed:
        return self._act(body, "dropped")

    def _fail(self, _request: web.Request, body: q.QueueIds) -> q.QueueActed:
        return self._act(body, "failed")

    def _timeline(self, request: web.Request, _body: Any) -> t.Timeline:
        query = t.TimelineQuery.model_validate(dict(request.query))
        items = [trace.summary for trace in self.traces.values()]
        shown = [i for i in items if query.text in f"{i.trace} {i.sender} {' '.join(i.recipients)}"]
        return t.Timeline(items=sorted(shown, key=lambda i: i.last_at, reverse=True)[: query.limit])

    def _trace(self, request: web.Request, _body: Any) -> t.Trace:
        name = request.match_info["trace"]
        if name not in self.traces:
            raise Refusal(404, "not_found", "Nothing is known of it.")
        return self.traces[name]

    def _log(self, request: web.Request, _body: Any) -> t.Log:
        after = int(request.query.get("after", 0))
        lines = [line for line in self.lines if line.seq > after]
        return t.Log(lines=lines, last_seq=self.lines[-1].seq if self.lines else 0)

    def _shut_down(self, _request: web.Request, _body: Any) -> t.Accepted:
        return t.Accepted()

    def _restart(self, _request: web.Request, _body: Any) -> t.Accepted:
        return t.Accepted()


class Refusal(Exception):
    def __init__(self, status: int, code: str, text: str, path: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.path = status, code, path


def _refusal(status: int, code: str, text: str, path: str = "") -> web.Response:
    issue = t.Problem(code=code, message=text, path=path)
    reply = t.ErrorReply(title=text, code=code, issues=[issue])
    return web.Response(
        text=reply.model_dump_json(), status=status, content_type="application/problem+json"
    )


class FakeControl:
    """Starts and stops a FakeAdmin where the real one starts a process."""

    def __init__(self, admin: FakeAdmin) -> None:
        self.admin = admin
        self.pretend_alive = False
        self.fault = ""
        self.starts: list[bool] = []
        self.practice_passwords = {"me@gatepost.test": "practice-makes-42"}

    def is_alive(self, folder: Path) -> bool:
        return folder == self.admin.folder and (self.admin.is_running or self.pretend_alive)

    def exists(self, folder: Path) -> bool:
        return (folder / "config" / "server.toml").exists()

    async def start(self, _folder: Path, *, practice: bool = False) -> None:
        from ui.control import StartError

        self.starts.append(practice)
        if self.fault:
            raise StartError(self.fault)
        if practice and not self.admin.accounts:
            self.admin.domains["gatepost.test"] = t.Domain(
                name="gatepost.test", unicode="gatepost.test"
            )
            self.admin.accounts["me"] = an_account("me", "Me")
        await self.admin.start()

    async def stop(self, _folder: Path) -> None:
        await self.admin.stop()

    def practice_accounts(self, _folder: Path) -> list[tuple[str, str]]:
        return list(self.practice_passwords.items()) if self.admin.practice else []

    def note_practice_password(self, _folder: Path, address: str, password: str) -> None:
        self.practice_passwords = {address: password}

    def tail(self, _folder: Path, lines: int) -> list[str]:
        return ["12:00:01 INFO server: started", "12:00:07 ERROR server: port 2525 is in use"][
            -lines:
        ]
