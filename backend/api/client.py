"""The admin API as typed methods, one for each route, over the data folder's Unix socket or over HTTP(S).

    async with Client.of_folder(folder) as client:
        status = await client.status()
        async with client.open_events() as events:
            async for event in events: ...

Used by the window, the command line and tests. Runs on any asyncio loop, qasync's too.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from backend.api import aliases as a
from backend.api import connect as c
from backend.api import delivery as w
from backend.api import dkim as d
from backend.api import dns
from backend.api import domains as dm
from backend.api import forms as f
from backend.api import overview as o
from backend.api import pages as p
from backend.api import sessions as ss
from backend.api import settings as st
from backend.api import signins as si
from backend.api import tls as s
from backend.api import tls_reports as r
from backend.api import types as t
from backend.api.calls import ApiError, NotReachableError
from backend.api.flow_calls import FlowCalls
from backend.api.route import PREFIX

__all__ = ["ApiError", "Client", "Event", "NotReachableError"]


@dataclass(frozen=True, slots=True)
class Event:
    """`id` resumes a stream after this event."""

    id: str
    data: t.EventData


class Client(FlowCalls):
    """One connection pool to one server. Close it, or use it in `async with`."""

    # ---- session

    async def hello(self) -> t.Hello:
        return await self._call("hello", t.Hello)

    async def sign_in(self, password: str, *, keep_signed_in: bool = False) -> t.Me:
        body = t.SignIn(password=password, keep_signed_in=keep_signed_in)
        me = await self._call("sign_in", t.Me, body=body)
        self.csrf_token = me.csrf_token
        return me

    async def me(self) -> t.Me:
        me = await self._call("me", t.Me)
        self.csrf_token = me.csrf_token
        return me

    async def sign_out(self) -> None:
        await self._call("sign_out", t.Empty)
        self.csrf_token = ""

    async def change_admin_password(
        self, *, current: str = "", new: str | None = None
    ) -> t.NewPassword:
        body = t.ChangeAdminPassword(current=current, new=new)
        return await self._call("change_admin_password", t.NewPassword, body=body)

    async def sessions(self) -> list[ss.AdminSession]:
        return (await self._call("sessions", ss.AdminSessions)).items

    async def revoke_session(self, session: str) -> None:
        await self._call("revoke_session", t.Empty, path={"session": session})

    # ---- status

    async def status(self) -> t.Status:
        return await self._call("status", t.Status)

    async def problems(self) -> list[t.Problem]:
        return (await self._call("problems", t.Problems)).items

    async def overview(self) -> o.Overview:
        return await self._call("overview", o.Overview)

    async def acknowledge_problem(self, code: str, subject: str = "", note: str = "") -> None:
        body = o.AcknowledgeProblem(code=code, subject=subject, note=note)
        await self._call("acknowledge_problem", t.Empty, body=body)

    async def unacknowledge_problem(self, code: str, subject: str = "") -> None:
        body = o.ProblemName(code=code, subject=subject)
        await self._call("unacknowledge_problem", t.Empty, body=body)

    async def put_step_away(self, step: str) -> None:
        await self._call("put_step_away", t.Empty, path={"step": step})

    async def metrics(self) -> str:
        return (await self._raw("metrics")).decode()

    async def openapi(self) -> dict[str, JsonValue]:
        document: dict[str, JsonValue] = json.loads(await self._raw("openapi"))
        return document

    # ---- forms and pages

    async def pages(self) -> p.Pages:
        return await self._call("pages", p.Pages)

    async def form_specs(self) -> f.Specs:
        return await self._call("form_specs", f.Specs)

    async def form_spec(self, form: str) -> f.Spec:
        return await self._call("form_spec", f.Spec, path={"form": form})

    async def form(self, form: str, key: str = "-") -> f.FormValues:
        return await self._call("form", f.FormValues, path={"form": form, "key": key})

    async def save_form(
        self,
        form: str,
        key: str,
        values: Mapping[str, JsonValue],
        *,
        revision: int,
        dry_run: bool = False,
    ) -> f.Saved:
        """Raises ApiError: 422 with all faults, 409 with `conflict`."""
        return await self._call(
            "save_form",
            f.Saved,
            path={"form": form, "key": key},
            query=f.SaveQuery(dry_run=dry_run),
            body=f.SaveForm(values=dict(values)),
            revision=revision,
        )

    async def choices(self, source: f.ChoicesFrom) -> list[f.Choice]:
        """What a field may be chosen from, as its specification says where."""
        reply = await self.ask("GET", source.path)
        rows = reply.get(source.items) if isinstance(reply, dict) else None
        found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return [
            f.Choice(
                value=row.get(source.value),
                label=str((source.label and row.get(source.label)) or row.get(source.value)),
            )
            for row in found
        ]

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> JsonValue:
        """A route as specifications of forms and lists name it: by its path below /api/v1."""
        data = None if body is None else json.dumps(dict(body)).encode()
        content = await self._send(method, PREFIX + path, query=query or {}, body=data)
        reply: JsonValue = json.loads(content) if content else None
        return reply

    async def search_forms(self, words: str, *, limit: int = 20) -> list[f.FoundItem]:
        query = f.SearchQuery(q=words, limit=limit)
        return (await self._call("search_forms", f.Found, query=query)).items

    # ---- domains

    async def domains(self) -> list[t.Domain]:
        return (await self._call("domains", t.Domains)).items

    async def domain(self, name: str) -> dm.DomainView:
        return await self._call("domain", dm.DomainView, path={"domain": name})

    async def addresses(self, query: dm.AddressQuery | None = None) -> dm.AddressEntries:
        return await self._call("addresses", dm.AddressEntries, query=query)

    async def add_domain(self, name: str, *, description: str = "") -> t.Domain:
        return await self._call(
            "add_domain", t.Domain, body=t.AddDomain(name=name, description=description)
        )

    async def remove_domain(self, name: str) -> None:
        await self._call("remove_domain", t.Empty, path={"domain": name})

    # ---- aliases

    async def aliases(self, domain: str = "") -> list[a.Alias]:
        return (await self._call("aliases", a.Aliases, query=a.AliasQuery(domain=domain))).items

    async def alias(self, address: str) -> a.Alias:
        return await self._call("alias", a.Alias, path={"address": address})

    async def add_alias(self, alias: a.AddAlias) -> a.Alias:
        return await self._call("add_alias", a.Alias, body=alias)

    async def change_alias(self, address: str, changes: a.ChangeAlias) -> a.Alias:
        return await self._call("change_alias", a.Alias, path={"address": address}, body=changes)

    async def remove_alias(self, address: str) -> None:
        await self._call("remove_alias", t.Empty, path={"address": address})

    # ---- signatures

    async def dkim(self, domain: str, *, check: bool = False) -> d.Dkim:
        return await self._call(
            "dkim", d.Dkim, path={"domain": domain}, query=d.DkimQuery(check=check)
        )

    async def add_dkim_selector(
        self,
        domain: str,
        *,
        selector: str = "",
        algorithm: d.DkimAlgorithm = "rsa2048",
        sign: bool = False,
    ) -> d.Dkim:
        body = d.AddDkimSelector(name=selector, algorithm=algorithm, sign=sign)
        return await self._call("add_dkim_selector", d.Dkim, path={"domain": domain}, body=body)

    async def choose_dkim_selectors(self, domain: str, selectors: list[str]) -> d.Dkim:
        body = d.ChooseDkimSelectors(selectors=selectors)
        return await self._call("choose_dkim_selectors", d.Dkim, path={"domain": domain}, body=body)

    async def rotate_dkim(self, domain: str, *, skip_waiting: bool = False) -> d.Dkim:
        body = d.RotateDkim(skip_waiting=skip_waiting)
        return await self._call("rotate_dkim", d.Dkim, path={"domain": domain}, body=body)

    async def remove_dkim_selector(
        self, domain: str, selector: str, *, even_if_signing: bool = False
    ) -> d.Dkim:
        return await self._call(
            "remove_dkim_selector",
            d.Dkim,
            path={"domain": domain, "selector": selector},
            query=d.RemoveDkimQuery(even_if_signing=even_if_signing),
        )

    async def dns_records(self, domain: str) -> dns.DnsRecords:
        return await self._call("dns_records", dns.DnsRecords, path={"domain": domain})

    async def check_dns(self, domain: str) -> dns.DnsCheck:
        """Takes up to 20 seconds."""
        return await self._call("check_dns", dns.DnsCheck, path={"domain": domain})

    async def dns_check(self, domain: str) -> dns.DnsCheck:
        """The last one; asks nobody."""
        return await self._call("dns_check", dns.DnsCheck, path={"domain": domain})

    async def health(self) -> dns.Health:
        return await self._call("health", dns.Health)

    async def check_health(self, only: str = "") -> dns.Health:
        """All checks, or the one with that id."""
        return await self._call("check_health", dns.Health, body=dns.HealthQuery(only=only))

    async def acknowledge_check(self, subject: str, check: str, note: str = "") -> None:
        """`subject`: the domain, or empty for the server."""
        body = dns.AcknowledgeCheck(subject=subject, id=check, note=note)
        await self._call("acknowledge_check", t.Empty, body=body)

    async def unacknowledge_check(self, subject: str, check: str) -> None:
        body = dns.AcknowledgedCheck(subject=subject, id=check)
        await self._call("unacknowledge_check", t.Empty, body=body)

    # ---- accounts

    async def accounts(self) -> list[t.Account]:
        return (await self._call("accounts", t.Accounts)).items

    async def accounts_page(self, query: t.AccountsQuery) -> t.Accounts:
        return await self._call("accounts", t.Accounts, query=query)

    async def account(self, account: str) -> t.Account:
        return await self._call("account", t.Account, path={"account": account})

    async def account_steps(self, account: str) -> list[dm.NextStep]:
        path = {"account": account}
        return (await self._call("account_steps", dm.NextSteps, path=path)).items

    async def add_account(self, request: t.AddAccount) -> t.NewAccount:
        return await self._call("add_account", t.NewAccount, body=request)

    async def change_account(self, account: str, request: t.ChangeAccount) -> t.Account:
        return await self._call(
            "change_account", t.Account, path={"account": account}, body=request
        )

    async def remove_account(self, account: str) -> None:
        await self._call("remove_account", t.Empty, path={"account": account})

    async def set_password(self, account: str, password: str | None = None) -> str | None:
        """The new password if the server made it up (`password` None); it is shown this once."""
        body = t.SetPassword(password=password)
        reply = await self._call(
            "set_password", t.NewPassword, path={"account": account}, body=body
        )
        return reply.password

    async def add_address(self, account: str, address: str, *, mailbox: str = "INBOX") -> t.Account:
        body = t.AddAddress(address=address, mailbox=mailbox)
        return await self._call("add_address", t.Account, path={"account": account}, body=body)

    async def change_address(self, account: str, address: str, *, mailbox: str) -> t.Account:
        return await self._call(
            "change_address",
            t.Account,
            path={"account": account, "address": address},
            body=t.ChangeAddress(mailbox=mailbox),
        )

    async def remove_address(self, account: str, address: str) -> None:
        await self._call("remove_address", t.Empty, path={"account": account, "address": address})

    async def client_settings(self, account: str) -> c.ClientSettings:
        return await self._call("client_settings", c.ClientSettings, path={"account": account})

    async def offer_profile(self, account: str) -> c.ProfileLink:
        return await self._call("offer_profile", c.ProfileLink, path={"account": account})

    async def check_setup(self, account: str) -> c.SetupCheck:
        """Takes up to 20 seconds."""
        return await self._call("check_setup", c.SetupCheck, path={"account": account})

    async def send_test_message(self, account: str) -> c.TestMessageSent:
        return await self._call("send_test_message", c.TestMessageSent, path={"account": account})

    async def ca_certificate(self) -> str:
        """PEM."""
        return (await self._raw("ca_certificate")).decode()

    # ---- encryption on the way to others

    async def tls_policy(self, domain: str) -> s.TlsPolicyReport:
        """What must hold for encryption on the way there, and why."""
        return await self._call("tls_policy", s.TlsPolicyReport, path={"domain": domain})

    async def tls_outcomes(self, query: r.TlsPageQuery | None = None) -> r.TlsOutcomeList:
        return await self._call("tls_outcomes", r.TlsOutcomeList, query=query)

    async def tls_reports(self, query: r.TlsReportQuery | None = None) -> r.TlsReportList:
        return await self._call("tls_reports", r.TlsReportList, query=query)

    # ---- transports and routes

    async def transports(self) -> list[w.Transport]:
        return (await self._call("transports", w.Transports)).items

    async def transport(self, name: str) -> w.Transport:
        return await self._call("transport", w.Transport, path={"transport": name})

    async def add_transport(self, request: w.AddTransport) -> w.Transport:
        return await self._call("add_transport", w.Transport, body=request)

    async def edit_transport(
        self, name: str, request: w.EditTransport, *, revision: int
    ) -> w.Transport:
        """`revision`: the one that the change was made from; another one by now is an ApiError 409."""
        path = {"transport": name}
        return await self._call(
            "edit_transport", w.Transport, path=path, body=request, revision=revision
        )

    async def remove_transport(self, name: str) -> None:
        await self._call("remove_transport", t.Empty, path={"transport": name})

    async def set_transport_password(self, name: str, password: str | None) -> w.Transport:
        """None forgets it."""
        body = w.SetTransportPassword(password=password)
        return await self._call(
            "set_transport_password", w.Transport, path={"transport": name}, body=body
        )

    async def test_transport(
        self, name: str, *, sender: str = "", domain: str = ""
    ) -> w.TransportTest:
        body = w.TransportTestQuestion(sender=sender, domain=domain)
        return await self._call(
            "test_transport", w.TransportTest, path={"transport": name}, body=body
        )

    async def mail_routes(self) -> w.MailRoutes:
        return await self._call("mail_routes", w.MailRoutes)

    async def add_mail_route(self, request: w.AddMailRoute) -> w.MailRoutes:
        return await self._call("add_mail_route", w.MailRoutes, body=request)

    async def set_mail_routes(self, request: w.SetMailRoutes, *, revision: int) -> w.MailRoutes:
        """`revision` as with `edit_transport`."""
        return await self._call("set_mail_routes", w.MailRoutes, body=request, revision=revision)

    async def set_route_lists(self, request: w.SetRouteLists, *, revision: int) -> w.MailRoutes:
        """`revision` as with `edit_transport`."""
        return await self._call("set_route_lists", w.MailRoutes, body=request, revision=revision)

    async def remove_mail_route(self, request: w.RemoveMailRoute) -> w.MailRoutes:
        return await self._call("remove_mail_route", w.MailRoutes, body=request)

    async def evaluate_routes(self, request: w.RouteQuestion) -> w.RouteEvaluation:
        return await self._call("evaluate_routes", w.RouteEvaluation, body=request)

    # ---- activity

    async def timeline(self, query: t.TimelineQuery | None = None) -> list[t.TraceSummary]:
        return (await self.timeline_page(query)).items

    async def timeline_page(self, query: t.TimelineQuery | None = None) -> t.Timeline:
        return await self._call("timeline", t.Timeline, query=query)

    async def trace(self, trace: str) -> t.Trace:
        return await self._call("trace", t.Trace, path={"trace": trace})

    async def log(self, query: t.LogQuery | None = None) -> t.Log:
        return await self._call("log", t.Log, query=query)

    async def sign_ins(self, query: si.SignInQuery | None = None) -> list[t.SignInEntry]:
        return (await self._call("sign_ins", si.SignIns, query=query)).items

    async def sign_in_sources(
        self, query: si.SignInSourceQuery | None = None
    ) -> list[si.SignInSource]:
        return (await self._call("sign_in_sources", si.SignInSources, query=query)).items

    # ---- configuration

    async def config(self) -> t.Configuration:
        return await self._call("config", t.Configuration)

    async def check_config(self, request: st.ConfigFiles) -> st.ConfigCheck:
        return await self._call("check_config", st.ConfigCheck, body=request)

    async def apply_config(self, request: st.ConfigFiles, *, revision: int) -> st.ConfigApplied:
        """`revision`: the one that the texts were made from; another one by now is an ApiError 409."""
        return await self._call("apply_config", st.ConfigApplied, body=request, revision=revision)

    async def revisions(self, *, limit: int = 50, offset: int = 0) -> st.Revisions:
        query = st.RevisionsQuery(limit=limit, offset=offset)
        return await self._call("revisions", st.Revisions, query=query)

    async def revision_diff(self, number: int) -> st.RevisionDiff:
        return await self._call("revision_diff", st.RevisionDiff, path={"number": number})

    async def check_revert(self, number: int) -> st.ConfigCheck:
        """What going back would do."""
        return await self._call("check_revert", st.ConfigCheck, path={"number": number})

    async def revert(self, number: int, *, revision: int) -> st.ConfigApplied:
        return await self._call(
            "revert", st.ConfigApplied, path={"number": number}, revision=revision
        )

    # ---- server

    async def shut_down(self) -> t.Accepted:
        return await self._call("shut_down", t.Accepted)

    async def restart(self) -> t.Accepted:
        return await self._call("restart", t.Accepted)

    async def verify(self) -> t.Job:
        return await self._call("verify", t.Job)

    async def jobs(self) -> list[t.Job]:
        return (await self._call("jobs", t.Jobs)).items

    async def job(self, job: str) -> t.Job:
        return await self._call("job", t.Job, path={"job": job})

    async def cancel_job(self, job: str) -> t.Job:
        return await self._call("cancel_job", t.Job, path={"job": job})

    async def see_job(self, job: str) -> t.Job:
        return await self._call("see_job", t.Job, path={"job": job})

    # ---- streams

    @contextlib.asynccontextmanager
    async def open_events(
        self, topics: Sequence[str] = (), *, last_id: str = ""
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Entered: connected. The iterator ends when the server ends; a broken line is a NotReachableError.

        `last_id`: the id of the last event that was seen; what happened since comes first, or a ResyncEvent.
        """
        query = t.EventsQuery(topics=",".join(topics))
        async with self._stream("events", query, last_id) as lines:
            yield _events(lines)

    @contextlib.asynccontextmanager
    async def open_log(
        self, query: t.LogQuery | None = None
    ) -> AsyncIterator[AsyncIterator[t.LogLine]]:
        """The lines that `log(query)` would give (`limit` of them), then each new one as it is written."""
        async with self._stream("log_stream", query, "") as lines:
            yield _log_lines(lines)


async def _events(records: AsyncIterator[tuple[str, str]]) -> AsyncIterator[Event]:
    async for event_id, data in records:
        try:
            yield Event(event_id, t.EVENT_DATA.validate_json(data))
        except ValidationError:
            continue  # a newer server's event that this version does not know


async def _log_lines(records: AsyncIterator[tuple[str, str]]) -> AsyncIterator[t.LogLine]:
    async for _, data in records:
        yield t.LogLine.model_validate_json(data)
