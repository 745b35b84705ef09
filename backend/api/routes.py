"""Every route of the admin API, as data. The server builds its handlers from it, the OpenAPI document is written from it.

`name` is the method's name in `backend.api.client` and the operation id in the document.
"""

from backend.api import aliases as a
from backend.api import connect as c
from backend.api import delivery as w
from backend.api import dkim as d
from backend.api import dns
from backend.api import domains as dm
from backend.api import flows as fl
from backend.api import forms as f
from backend.api import overview as o
from backend.api import pages as p
from backend.api import queue as q
from backend.api import sessions as ss
from backend.api import settings as st
from backend.api import signins as si
from backend.api import tls as s
from backend.api import tls_reports as r
from backend.api import types as t
from backend.api.route import PREFIX, Needs, Route, delete, get, post, put

EVENT_STREAM = "text/event-stream"

ROUTES: tuple[Route, ...] = (
    Route(
        name="openapi",
        method="GET",
        path="/api/openapi.json",
        summary="This interface as an OpenAPI 3.1 document",
        raw="application/json",
    ),
    get("hello", "/hello", t.Hello, "Versions, and whether one is signed in", needs=Needs.PUBLIC),
    # session
    post(
        "sign_in",
        "/session",
        t.Me,
        "Sign in with the administrator's password",
        request=t.SignIn,
        needs=Needs.PUBLIC,
    ),
    get("me", "/session", t.Me, "Who am I; gives the CSRF token"),
    delete("sign_out", "/session", "Sign out"),
    post(
        "change_admin_password",
        "/session/password",
        t.NewPassword,
        "Change the administrator's password; other sessions end",
        request=t.ChangeAdminPassword,
    ),
    get("sessions", "/sessions", ss.AdminSessions, "Signed-in browsers and programs"),
    delete("revoke_session", "/sessions/{session}", "End another session"),
    # status
    get("status", "/status", t.Status, "State of the server in one look"),
    get("problems", "/problems", t.Problems, "What needs attention"),
    post(
        "acknowledge_problem",
        "/problems/acknowledge",
        t.Empty,
        "Leave a problem as it is: it does not call for attention until it says something else",
        request=o.AcknowledgeProblem,
    ),
    post(
        "unacknowledge_problem",
        "/problems/unacknowledge",
        t.Empty,
        "Let a problem call for attention again",
        request=o.ProblemName,
    ),
    get("overview", "/overview", o.Overview, "The first page: verdict, what needs attention"),
    post(
        "put_step_away",
        "/overview/steps/{step}/put-away",
        t.Empty,
        "Do not suggest this next step any more",
    ),
    get("metrics", "/metrics", t.Empty, "Counters for monitoring programs", raw="text/plain"),
    # forms and pages
    get("pages", "/ui/pages", p.Pages, "All pages of both faces, with their paths and words"),
    get("form_specs", "/ui/specs", f.Specs, "All forms and lists that are described"),
    get(
        "form_spec",
        "/ui/specs/{form}",
        f.Spec,
        "What a face needs to draw a form or list (ETag, Accept-Language)",
    ),
    get(
        "search_forms",
        "/ui/search",
        f.Found,
        "Pages and fields by their words",
        query=f.SearchQuery,
    ),
    get("flows", "/flows", fl.Flows, "Wizards that were left and can be gone on with"),
    post("begin_flow", "/flows", fl.FlowStep, "Begin a wizard", request=fl.BeginFlow, status=201),
    get("flow", "/flows/{flow}", fl.FlowStep, "The step at which a wizard stands"),
    post(
        "move_flow",
        "/flows/{flow}",
        fl.FlowStep,
        "Go on, back, to a step; or try something out",
        request=fl.FlowMove,
    ),
    delete("give_up_flow", "/flows/{flow}", "Give a wizard up; nothing of it stays"),
    get("form", "/forms/{form}/{key}", f.FormValues, "The values of a form; secrets stay here"),
    Route(
        name="save_form",
        method="PUT",
        path=PREFIX + "/forms/{form}/{key}",
        summary="Save a form, or see what that would do (dry_run)",
        reply=f.Saved,
        request=f.SaveForm,
        query=f.SaveQuery,
        checks_revision=True,
    ),
    # domains
    get("domains", "/domains", t.Domains, "All domains"),
    post("add_domain", "/domains", t.Domain, "Add a domain", request=t.AddDomain, status=201),
    get("domain", "/domains/{domain}", dm.DomainView, "One domain, and what there is to do in it"),
    get(
        "addresses",
        "/addresses",
        dm.AddressEntries,
        "All addresses, and whose they are",
        query=dm.AddressQuery,
    ),
    delete(
        "remove_domain", "/domains/{domain}", "Remove a domain; refused while accounts live in it"
    ),
    # signatures
    get(
        "dkim",
        "/domains/{domain}/dkim",
        d.Dkim,
        "DKIM keys of a domain, with their DNS records",
        query=d.DkimQuery,
    ),
    post(
        "add_dkim_selector",
        "/domains/{domain}/dkim/selectors",
        d.Dkim,
        "Make a DKIM key",
        request=d.AddDkimSelector,
        status=201,
    ),
    Route(
        name="choose_dkim_selectors",
        method="PUT",
        path=PREFIX + "/domains/{domain}/dkim/sign",
        reply=d.Dkim,
        summary="Choose which DKIM keys sign",
        request=d.ChooseDkimSelectors,
    ),
    post(
        "rotate_dkim",
        "/domains/{domain}/dkim/rotate",
        d.Dkim,
        "Change the DKIM keys for new ones, or go on with that",
        request=d.RotateDkim,
    ),
    Route(
        name="remove_dkim_selector",
        method="DELETE",
        path=PREFIX + "/domains/{domain}/dkim/selectors/{selector}",
        reply=d.Dkim,
        summary="Remove a DKIM key for good; refused while it signs",
        query=d.RemoveDkimQuery,
    ),
    get(
        "dns_records",
        "/domains/{domain}/dns/records",
        dns.DnsRecords,
        "The DNS records that a domain needs",
    ),
    post(
        "check_dns",
        "/domains/{domain}/dns/check",
        dns.DnsCheck,
        "Compare what is published with what the domain needs",
    ),
    get(
        "dns_check",
        "/domains/{domain}/dns",
        dns.DnsCheck,
        "What the last check of a domain's DNS has found; asks nobody",
    ),
    # checks
    get("health", "/health", dns.Health, "What the last checks of the server have found"),
    post(
        "check_health",
        "/health/check",
        dns.Health,
        "Check the server now",
        request=dns.HealthQuery,
    ),
    post(
        "acknowledge_check",
        "/checks/acknowledge",
        t.Empty,
        "Take a line of a check out of sight until its finding changes",
        request=dns.AcknowledgeCheck,
    ),
    post(
        "unacknowledge_check",
        "/checks/unacknowledge",
        t.Empty,
        "Show a line of a check again",
        request=dns.AcknowledgedCheck,
    ),
    # accounts
    get("accounts", "/accounts", t.Accounts, "Accounts, all or a page", query=t.AccountsQuery),
    post(
        "add_account", "/accounts", t.NewAccount, "Add an account", request=t.AddAccount, status=201
    ),
    get("account", "/accounts/{account}", t.Account, "One account"),
    get(
        "account_steps",
        "/accounts/{account}/steps",
        dm.NextSteps,
        "What there is to do with an account",
    ),
    Route(
        name="change_account",
        method="PATCH",
        path=PREFIX + "/accounts/{account}",
        request=t.ChangeAccount,
        reply=t.Account,
        summary="Change name, limits, or disable the account",
    ),
    delete("remove_account", "/accounts/{account}", "Remove an account with all its mail"),
    post(
        "set_password",
        "/accounts/{account}/password",
        t.NewPassword,
        "Set the account's password",
        request=t.SetPassword,
    ),
    post(
        "add_address",
        "/accounts/{account}/addresses",
        t.Account,
        "Give the account one more address",
        request=t.AddAddress,
        status=201,
    ),
    Route(
        name="change_address",
        method="PATCH",
        path=PREFIX + "/accounts/{account}/addresses/{address}",
        request=t.ChangeAddress,
        reply=t.Account,
        summary="Choose the mailbox that mail to an address goes to",
    ),
    delete(
        "remove_address",
        "/accounts/{account}/addresses/{address}",
        "Take an address away from the account",
    ),
    get(
        "client_settings",
        "/accounts/{account}/connect",
        c.ClientSettings,
        "What a mail program must be told",
    ),
    post(
        "offer_profile",
        "/accounts/{account}/connect/profile",
        c.ProfileLink,
        "A link that sets up a phone of Apple, once and for 15 minutes",
    ),
    post(
        "check_setup",
        "/accounts/{account}/connect/check",
        c.SetupCheck,
        "Do mail apps that look the settings up find them?",
    ),
    post(
        "send_test_message",
        "/accounts/{account}/test-message",
        c.TestMessageSent,
        "Send the account a message through this server's own SMTP port",
    ),
    get(
        "ca_certificate",
        "/tls/ca.pem",
        t.Empty,
        "Certificate of this server's own authority (practice mode, self-signed)",
        raw="application/x-pem-file",
    ),
    # aliases
    get("aliases", "/aliases", a.Aliases, "Addresses for several people", query=a.AliasQuery),
    post("add_alias", "/aliases", a.Alias, "Add an alias", request=a.AddAlias, status=201),
    get("alias", "/aliases/{address}", a.Alias, "One alias with its members"),
    Route(
        name="change_alias",
        method="PATCH",
        path=PREFIX + "/aliases/{address}",
        reply=a.Alias,
        summary="Change an alias",
        request=a.ChangeAlias,
    ),
    delete("remove_alias", "/aliases/{address}", "Remove an alias; its members stay"),
    # queue
    get("queue", "/queue", t.QueueList, "Messages on their way out", query=t.QueueQuery),
    get("queue_groups", "/queue/groups", q.QueueGroups, "What is on its way, counted by domain"),
    get(
        "history",
        "/queue/history",
        q.History,
        "What has left the queue, and how",
        query=q.HistoryQuery,
    ),
    get(
        "history_item",
        "/queue/history/{id}",
        q.HistoryDetail,
        "One message that has left the queue, with its attempts and what was reported later",
    ),
    get("hold_rules", "/queue/holds", q.HoldRules, "What is held in the queue, and by which rule"),
    post(
        "add_hold_rule",
        "/queue/holds",
        q.QueueActed,
        "Hold mail that matches from now on",
        request=q.AddHoldRule,
        status=201,
    ),
    post(
        "apply_hold_rule",
        "/queue/holds/{rule}/apply",
        q.QueueActed,
        "Hold what waits already and matches",
    ),
    Route(
        name="remove_hold_rule",
        method="DELETE",
        path=PREFIX + "/queue/holds/{rule}",
        reply=q.QueueActed,
        summary="Remove a hold rule, and let go what it holds if asked to",
        query=q.RemoveHoldRule,
    ),
    post(
        "pause_sending",
        "/queue/pause",
        q.QueueActed,
        "Hold all mail that waits or is accepted from now on",
        request=q.PauseSending,
    ),
    post("resume_sending", "/queue/resume", q.QueueActed, "End the pause and let go what it held"),
    get(
        "suppressions",
        "/suppressions",
        q.Suppressions,
        "Addresses that no mail is sent to",
        query=q.SuppressionQuery,
    ),
    post(
        "add_suppression",
        "/suppressions",
        t.Empty,
        "Send nothing to an address from now on",
        request=q.AddSuppression,
        status=201,
    ),
    post(
        "remove_suppressions",
        "/suppressions/remove",
        q.Removed,
        "Send to these addresses again",
        request=q.RemoveSuppressions,
    ),
    get(
        "send_limits",
        "/accounts/{account}/limits",
        q.SendLimits,
        "How much the account has sent within the last 24 hours, and how much it may",
    ),
    get(
        "queue_item",
        "/queue/{id}",
        t.QueueDetail,
        "One message on its way out, with its attempts and its route",
    ),
    get(
        "queue_message",
        "/queue/{id}/message",
        t.Empty,
        "The whole message as it will leave",
        raw="message/rfc822",
    ),
    post("kick", "/queue/kick", q.QueueActed, "Try again now", request=q.QueueIds),
    post("hold", "/queue/hold", q.QueueActed, "Keep back until released", request=q.QueueIds),
    post("release", "/queue/release", q.QueueActed, "Let go what was held", request=q.QueueIds),
    post("drop", "/queue/drop", q.QueueActed, "Remove without telling anyone", request=q.QueueIds),
    post(
        "fail",
        "/queue/fail",
        q.QueueActed,
        "Give up; the senders get a failure notice",
        request=q.QueueIds,
    ),
    post(
        "choose_transport",
        "/queue/transport",
        q.QueueActed,
        "Choose how messages leave, whatever the routes say, and try again now",
        request=w.ChooseTransport,
    ),
    post(
        "choose_tls",
        "/queue/tls",
        q.QueueActed,
        "Choose what must hold for encryption, whatever the recipient's domain asks for, and try again now",
        request=s.ChooseTls,
    ),
    post(
        "limit_attempts",
        "/queue/attempts",
        q.QueueActed,
        "Choose how often messages are tried before they are given up",
        request=q.LimitAttempts,
    ),
    post(
        "postpone",
        "/queue/postpone",
        q.QueueActed,
        "Make no attempt before a given time",
        request=q.Postpone,
    ),
    post(
        "undo_queue",
        "/queue/undo",
        q.QueueActed,
        "Put messages back as they were before an action",
        request=q.UndoQueue,
    ),
    # encryption on the way to others
    get(
        "tls_policy",
        "/tls/policy/{domain}",
        s.TlsPolicyReport,
        "What must hold for encryption on the way to a domain, and why",
    ),
    get(
        "tls_outcomes",
        "/tls/outcomes",
        r.TlsOutcomeList,
        "How encrypted connections to other domains went, by day",
        query=r.TlsPageQuery,
    ),
    get(
        "tls_reports",
        "/tls/reports",
        r.TlsReportList,
        "Reports about that to these domains",
        query=r.TlsReportQuery,
    ),
    # transports and routes
    get("transports", "/transports", w.Transports, "Ways out for mail"),
    post(
        "add_transport",
        "/transports",
        w.Transport,
        "Add a transport",
        request=w.AddTransport,
        status=201,
    ),
    get("transport", "/transports/{transport}", w.Transport, "One transport"),
    put(
        "edit_transport",
        "/transports/{transport}",
        w.Transport,
        "Change a transport; its password stays unless one is given or the server is another one",
        request=w.EditTransport,
    ),
    delete(
        "remove_transport",
        "/transports/{transport}",
        "Remove a transport with its password; refused while a route uses it",
    ),
    post(
        "set_transport_password",
        "/transports/{transport}/password",
        w.Transport,
        "Set the password that a transport signs in with",
        request=w.SetTransportPassword,
    ),
    post(
        "test_transport",
        "/transports/{transport}/test",
        w.TransportTest,
        "Connect, check the certificate, sign in, try the sender; nothing is sent",
        request=w.TransportTestQuestion,
    ),
    get("mail_routes", "/routes", w.MailRoutes, "Which transport is used for what"),
    post(
        "add_mail_route", "/routes", w.MailRoutes, "Add a route", request=w.AddMailRoute, status=201
    ),
    put(
        "set_mail_routes",
        "/routes",
        w.MailRoutes,
        "Change a list of routes: order, criteria, switched off or not",
        request=w.SetMailRoutes,
    ),
    put(
        "set_route_lists",
        "/routes/lists",
        w.MailRoutes,
        "Change several lists of routes at once, all or nothing",
        request=w.SetRouteLists,
    ),
    post(
        "remove_mail_route",
        "/routes/remove",
        w.MailRoutes,
        "Remove a route",
        request=w.RemoveMailRoute,
    ),
    post(
        "evaluate_routes",
        "/routes/evaluate",
        w.RouteEvaluation,
        "Which way would a message take, and why?",
        request=w.RouteQuestion,
    ),
    # activity
    get(
        "timeline",
        "/timeline",
        t.Timeline,
        "Messages, in and out, newest first",
        query=t.TimelineQuery,
    ),
    get("trace", "/timeline/{trace}", t.Trace, "One message's way through this server"),
    get("log", "/log", t.Log, "The last lines of the log", query=t.LogQuery),
    get(
        "log_stream",
        "/log/stream",
        t.LogLine,
        "The log as it is written (server-sent events)",
        query=t.LogQuery,
        raw=EVENT_STREAM,
    ),
    get("sign_ins", "/sign-ins", si.SignIns, "Who signed in, or tried to", query=si.SignInQuery),
    get(
        "sign_in_sources",
        "/sign-ins/failures",
        si.SignInSources,
        "Failed sign-ins by the address they came from",
        query=si.SignInSourceQuery,
    ),
    # configuration
    get("config", "/config", t.Configuration, "The configuration as text and as values"),
    post(
        "check_config",
        "/config/check",
        st.ConfigCheck,
        "Would this configuration work? Nothing is changed",
        request=st.ConfigFiles,
    ),
    put(
        "apply_config",
        "/config",
        st.ConfigApplied,
        "Apply a configuration, all or nothing",
        request=st.ConfigFiles,
    ),
    get(
        "revisions",
        "/config/revisions",
        st.Revisions,
        "Every change of the configuration",
        query=st.RevisionsQuery,
    ),
    get(
        "revision_diff",
        "/config/revisions/{number}/diff",
        st.RevisionDiff,
        "What one revision changed",
    ),
    get(
        "check_revert",
        "/config/revisions/{number}/revert",
        st.ConfigCheck,
        "What going back to that revision would do; nothing is changed",
    ),
    post(
        "revert",
        "/config/revisions/{number}/revert",
        st.ConfigApplied,
        "Go back to the configuration as it was after that revision",
        checks_revision=True,
    ),
    # server
    post("shut_down", "/server/shutdown", t.Accepted, "Stop the server", status=202),
    post("restart", "/server/restart", t.Accepted, "Stop and start the server", status=202),
    post("verify", "/verify", t.Job, "Check the stored mail against itself", status=202),
    get("jobs", "/jobs", t.Jobs, "Long work, running and recent"),
    get("job", "/jobs/{job}", t.Job, "One piece of long work"),
    post("cancel_job", "/jobs/{job}/cancel", t.Job, "Stop it"),
    post("see_job", "/jobs/{job}/seen", t.Job, "Its end was looked at"),
    get(
        "events",
        "/events",
        t.Empty,
        "Everything that happens (server-sent events; Last-Event-ID resumes)",
        query=t.EventsQuery,
        raw=EVENT_STREAM,
    ),
)

BY_NAME: dict[str, Route] = {route.name: route for route in ROUTES}
