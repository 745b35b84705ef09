"""Counters for monitoring programs, in Prometheus' text format. Every counter is listed here with its labels.

gatepost_messages_total{kind}           steps of messages: received, accepted, rejected, delivered, queued, attempt, sent, deferred, bounced, held, dropped
gatepost_send_limits_total{result}      messages refused by a limit of their account: messagelimiterror, recipientlimiterror
gatepost_sign_ins_total{protocol,result} sign-ins: imap, submission, admin; ok, failed
gatepost_api_requests_total{route,status} admin API: route's name, HTTP status
gatepost_log_lines_total{level}         lines written to the log
"""

from collections import defaultdict

MAX_SERIES = 2_000  # label combinations, a security limit

HELP = {
    "gatepost_messages_total": "Steps of messages by kind",
    "gatepost_send_limits_total": "Messages refused by a limit of their account, by limit",
    "gatepost_sign_ins_total": "Sign-ins by protocol and result",
    "gatepost_api_requests_total": "Requests to the admin API by route and status",
    "gatepost_log_lines_total": "Lines written to the log by level",
}


class Metrics:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, tuple[tuple[str, str], ...]], int] = defaultdict(int)

    def count(self, name: str, **labels: str) -> None:
        key = (name, tuple(sorted(labels.items())))
        if key in self._counts or len(self._counts) < MAX_SERIES:
            self._counts[key] += 1

    def value(self, name: str, **labels: str) -> int:
        return self._counts.get((name, tuple(sorted(labels.items()))), 0)

    def text(self, gauges: dict[str, float] | None = None) -> str:
        """`gauges`: name → value, measured by the caller now."""
        lines: list[str] = []
        for name, help_text in HELP.items():
            series = [(labels, n) for (key, labels), n in self._counts.items() if key == name]
            if series:
                lines += [f"# HELP {name} {help_text}", f"# TYPE {name} counter"]
            for labels, number in sorted(series):
                inner = ",".join(f'{key}="{_escape(value)}"' for key, value in labels)
                lines.append(f"{name}{{{inner}}} {number}")
        for name, value in sorted((gauges or {}).items()):
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
