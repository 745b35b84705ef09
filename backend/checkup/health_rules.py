"""What the state of the server means, and what to do about it: one function for each check. Pure."""

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from backend.checkup.checks import Check, Fix, Result, State
from backend.checkup.probes import Certificate, ClockFacts, Disk, Door, FolderFacts, Knock
from backend.checkup.records import Area, Severity
from backend.config.model import Config
from backend.core.problems import Problem
from backend.outbound.listing import QueueAge

LOW_DISK_BYTES = 5_000_000_000
NO_DISK_BYTES = 1_000_000_000
EXPIRES_SOON = timedelta(days=14)
CLOCK_BACK_S = 120.0
OVERDUE_S = 15 * 60.0
WAITING_LONG_S = 4 * 3600.0
MAX_LISTED = 10


def _check(
    code: str,
    area: Area,
    title: str,
    purpose: str,
    how: str,
    *,
    severity: Severity = "required",
    name: str = "",
) -> Check:
    return Check(
        code=code,
        area=area,
        title=title,
        purpose=purpose,
        severity=severity,
        name=name,
        type="",
        result="unknown",
        summary="Not looked at yet.",
        how=how,
    )


DISK = _check(
    "disk",
    "server",
    "Disk space",
    "When the disk is full, no mail can be taken any more.",
    "Looked at the free space on the disk of the data folder.",
)
FOLDER = _check(
    "folder",
    "server",
    "Data folder",
    "Mail and keys lie there: the server must be able to write, and nobody else to read.",
    "Looked at the rights of the folders and wrote a small file into each.",
)
CLOCK = _check(
    "clock",
    "server",
    "Clock",
    "With a wrong clock certificates and signatures fail, and messages have wrong dates.",
    "Compared the clock with what was written here before, and looked for a program that keeps it right.",
)
SETTINGS = _check(
    "settings",
    "server",
    "Settings",
    "Settings that contradict each other, or that wait for a restart.",
    "Read the settings that are in use, and the routes.",
)
ERRORS = _check(
    "errors",
    "server",
    "Errors in the log",
    "What went wrong inside the server within a day, also where nobody has noticed.",
    "Counted the errors that the log holds of the last 24 hours, since the server was started.",
)
INTAKE = _check(
    "intake",
    "ports",
    "A port for mail from other servers",
    "Other servers deliver to port 25; without it no mail comes in from outside.",
    "Looked at the listeners in the settings.",
)
CERTIFICATE_AGE = _check(
    "certificate_age",
    "certificate",
    "Valid for long enough",
    "With an expired certificate mail apps refuse to connect.",
    "Read the certificate that is in use.",
)
CERTIFICATE_NAMES = _check(
    "certificate_names",
    "certificate",
    "Made for the right names",
    "Mail apps compare the name of the server with those in the certificate.",
    "Compared the names in the certificate with the host name of this server.",
)
QUEUE = _check(
    "queue",
    "mail",
    "The queue moves",
    "Outgoing mail that nobody tries to deliver, or that waits for hours.",
    "Looked at how long the oldest message waits, and whether attempts are overdue.",
)
OUTGOING = _check(
    "outgoing",
    "mail",
    "Mail goes out",
    "Many home connections block port 25, on which mail goes to other servers; a relay helps there.",
    "Counted the messages that other servers have taken today. Nobody was asked or tried.",
)


def _found(
    check: Check, result: Result, summary: str, fix: str = "", path: str = "", *found: str
) -> Check:
    made = replace(check, result=result, summary=summary, found=found)
    return replace(made, fix=Fix(fix, path=path)) if fix else made


def judge_disk(check: Check, disk: Disk) -> Check:
    gb = disk.free_bytes / 1e9
    share = disk.free_bytes / max(disk.total_bytes, 1)
    free = f"{gb:.1f} GB are free ({share:.0%})."
    fix = (
        "Make room: empty trash folders, remove old mail, or move the data folder to a larger disk."
    )
    if disk.free_bytes < NO_DISK_BYTES:
        return _found(check, "fail", f"Only {free}", fix)
    if disk.free_bytes < LOW_DISK_BYTES:
        return _found(check, "warn", f"Only {free}", fix)
    return _found(check, "ok", free)


def judge_folder(check: Check, facts: FolderFacts) -> Check:
    if facts.fault:
        fix = (
            "Give the user that runs the server the right to write there, or make room on the disk."
        )
        return _found(
            check, "fail", f"The server can't write: {facts.fault}.", fix, "", facts.fault
        )
    if facts.open_to_others:
        shown = ", ".join(facts.open_to_others)
        fix = f"Run “chmod go-rwx” on it: chmod go-rwx {' '.join(facts.open_to_others)}"
        return _found(
            check,
            "warn",
            f"Others on this computer may look into {shown}.",
            fix,
            "",
            *facts.open_to_others,
        )
    return _found(check, "ok", "The server can write, and nobody else can read.")


def judge_clock(check: Check, facts: ClockFacts) -> Check:
    behind = facts.newest - facts.now
    fix = "Set the clock, and let the computer keep it right (in Debian the package systemd-timesyncd or chrony does)."
    if behind > CLOCK_BACK_S:
        return _found(
            check,
            "fail",
            f"The clock is at least {behind / 60:.0f} minutes behind what it was before.",
            fix,
        )
    if not facts.kept:
        return _found(check, "unknown", "Could not tell whether a program keeps the clock right.")
    return _found(check, "ok", "A program keeps the clock right.")


def judge_settings(check: Check, problems: Sequence[Problem]) -> Check:
    if not problems:
        return _found(check, "ok", "Nothing contradicts itself, and nothing waits for a restart.")
    listed = [str(each) for each in problems[:MAX_LISTED]]
    more = f" And {len(problems) - MAX_LISTED} more." if len(problems) > MAX_LISTED else ""
    bad = any(each.severity == "error" for each in problems)
    summary = (
        problems[0].message
        if len(problems) == 1
        else f"{len(problems)} things in the settings need a look."
    )
    fix = (
        f"{problems[0].fix if len(problems) == 1 else 'What each of them is, stands above.'}{more}"
    )
    return _found(check, "fail" if bad else "warn", summary, fix, "/settings", *listed)


def judge_errors(check: Check, errors: int) -> Check:
    if not errors:
        return _found(check, "ok", "None in the last 24 hours.")
    what = "1 error" if errors == 1 else f"{errors} errors"
    return _found(
        check,
        "warn",
        f"{what} in the last 24 hours.",
        "Look at the log. An error that comes again and again is worth a report to who makes this program.",
        "/log",
    )


def judge_intake(check: Check, doors: Sequence[Door], *, practice: bool) -> Check:
    takes = [door for door in doors if door.service == "smtp"]
    ports = sorted({door.port for door in takes})
    if not ports:
        return _found(
            check,
            "warn",
            "No port takes mail from other servers.",
            "Switch on “smtp_port” for a listener, unless this server is for sending only.",
        )
    shown = ", ".join(str(port) for port in ports)
    if practice:
        return _found(
            check, "ok", f"Mail is taken on port {shown}. Practice mode needs no port 25."
        )
    if 25 not in ports:
        return _found(
            check,
            "warn",
            f"Mail is taken on port {shown}, but other servers deliver to port 25 only.",
            "Set “smtp_port” of the listener to 25, or let your router pass port 25 on to this port.",
        )
    if all(ipaddress.ip_address(door.host).is_loopback for door in takes):
        return _found(
            check,
            "warn",
            "Mail is taken on port 25, but from this computer only.",
            "Add the address of this computer in your network to the listener, or 0.0.0.0 for all of them.",
            "/system/ports",
        )
    return _found(check, "ok", "Mail from other servers is taken on port 25.")


_DOORS = {
    "smtp": "Mail from other servers",
    "submission": "Mail apps send, STARTTLS",
    "submissions": "Mail apps send",
    "imap": "Mail apps read, STARTTLS",
    "imaps": "Mail apps read",
    "http": "Browsers, not encrypted",
    "https": "Browsers",
}


def port_check(door: Door) -> Check:
    kind = {"tls": "TLS", "starttls": "STARTTLS", "none": "no encryption"}[door.security]
    return _check(
        "port",
        "ports",
        f"{_DOORS.get(door.service, door.service.upper())}: port {door.port}",
        f"{door.purpose[:1].upper()}{door.purpose[1:]} ({kind}).",
        f"Connected to {door.reached_at} port {door.port} from this computer and waited for the greeting. Whether it can be "
        "reached from outside, this does not say.",
        name=f"{door.service} {door.host} {door.port}",
    )


def judge_port(check: Check, door: Door, knock: Knock) -> Check:
    if not knock.fault:
        return _found(check, "ok", "It answers.")
    return _found(
        check,
        "fail",
        f"It does not answer as it should: {knock.fault}.",
        f"Restart the server. If that does not help, look whether another program holds port {door.port}, or a firewall blocks it.",
        "/server",
        knock.fault,
    )


def judge_age(check: Check, certificate: Certificate, now: datetime) -> Check:
    if certificate.fault or certificate.expires is None:
        return _unreadable(check, certificate)
    left = certificate.expires - now
    renew = (
        "The server renews it by itself; restart it if that has not happened."
        if certificate.own_authority
        else "Renew it where it comes from, and put the new file in its place: the server takes it over by itself."
    )
    if left <= timedelta():
        return _found(check, "fail", "The certificate has expired.", renew)
    if left < EXPIRES_SOON:
        return _found(check, "warn", f"The certificate expires in {max(left.days, 1)} days.", renew)
    return _found(check, "ok", f"The certificate is valid for {left.days} more days.")


def judge_names(check: Check, certificate: Certificate, config: Config) -> Check:
    if certificate.fault:
        return _unreadable(check, certificate)
    host = config.server.hostname
    if not _covers(certificate.names, host):
        names = ", ".join(sorted(certificate.names)[:MAX_LISTED]) or "no name at all"
        return _found(
            check,
            "fail",
            f"The certificate is for {names}, not for {host}.",
            f"Take a certificate that names {host}, or correct “hostname” in the settings.",
            "/settings",
            *sorted(certificate.names)[:MAX_LISTED],
        )
    if certificate.own_authority:
        return _found(
            check,
            "ok",
            f"It names {host}. Your own authority has issued it: mail apps have to be told to trust it.",
        )
    return _found(check, "ok", f"It names {host}.")


def _covers(names: frozenset[str], host: str) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names


def _unreadable(check: Check, certificate: Certificate) -> Check:
    return _found(
        check,
        "fail",
        f"The certificate can't be read: {certificate.fault or 'it has no end'}.",
        "Correct “certificate_file” in the settings, or let the server make its own.",
        "/settings",
    )


def judge_queue(check: Check, age: QueueAge, now: float) -> Check:
    if not age.waiting:
        return _found(check, "ok", "Nothing waits.")
    count = f"{age.waiting} message{'s' if age.waiting > 1 else ''} wait{'' if age.waiting > 1 else 's'}"
    if now - age.first_due > OVERDUE_S:
        return _found(
            check,
            "fail",
            f"{count}, and an attempt is overdue by {(now - age.first_due) / 60:.0f} minutes.",
            "Look at the queue for what is being tried, and at the log for the reason; a restart starts the attempts anew.",
            "/queue",
            "overdue",
        )
    if now - age.oldest > WAITING_LONG_S:
        return _found(
            check,
            "warn",
            f"{count}, the oldest for {(now - age.oldest) / 3600:.0f} hours.",
            "Look at the queue: each message says what the other server has answered.",
            "/queue",
            "waits long",
        )
    return _found(check, "ok", f"{count}, none for long.")


def judge_outgoing(check: Check, sent_today: int, *, practice: bool) -> Check:
    if practice:
        return _found(
            check, "unknown", "Could not tell: in practice mode nothing leaves this computer."
        )
    if sent_today:
        messages = f"{sent_today} message{'s were' if sent_today > 1 else ' was'}"
        return _found(check, "ok", f"{messages} taken by other servers today.")
    return _found(
        check,
        "unknown",
        "Could not tell: nothing has gone out today. Send a message to somebody elsewhere to know.",
    )


def judge_domain(name: str, state: State, headline: str) -> Check:
    results: dict[State, Result] = {"fail": "fail", "warn": "warn", "unknown": "unknown"}
    check = _check(
        "domain",
        "domains",
        f"DNS of {name}",
        "",
        "Took the result of the last check of its DNS.",
        name=name,
    )
    return replace(
        check,
        result=results.get(state, "ok"),
        summary=headline or "Not checked yet.",
        fix=Fix("The page of its DNS records says what to do.", path=f"/domains/{name}/dns"),
        found=(state,),
    )


def domains_that_are_well(count: int) -> Check:
    check = _check(
        "domains_well", "domains", "All other domains", "", "Took the results of the last checks."
    )
    which = f"The DNS of {count} domain{'s' if count > 1 else ''} is as it should be."
    return replace(check, result="ok", summary=which, title="Domains without a fault")
