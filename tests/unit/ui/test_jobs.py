"""Long work in words."""

from datetime import UTC, datetime

from backend.api import types as t
from ui.presenters import jobs

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def a_job(**values: object) -> t.Job:
    return t.Job.model_validate(
        {
            "id": "1",
            "kind": "verify",
            "title": "Checking",
            "state": "running",
            "started_at": NOW,
            **values,
        }
    )


def test_what_runs_says_how_far_how_fast_and_how_long_still() -> None:
    job = a_job(done=5000, total=20_000, rate=1240.4, remaining_s=240, text="INBOX")
    assert jobs.headline([job]) == "Checking 25 %"
    assert jobs.facts(job) == "5\u202f000 of 20\u202f000 · 1\u202f240/s · about 4 min left · INBOX"
    assert jobs.facts(a_job(done=3, total=9, rate=0.75)) == "3 of 9 · 0.8/s"
    assert jobs.headline([job, job]) == "2 tasks 25 %"


def test_an_end_says_what_came_out() -> None:
    problem = t.Problem(code="x", message="It is damaged.")
    ends = [
        jobs.end(a_job(state="done")).text,
        jobs.end(a_job(state="done", problems=[problem])).text,
        jobs.end(a_job(state="failed")).text,
        jobs.end(a_job(state="cancelled")).text,
    ]
    assert ends == ["Finished", "1 thing to look at", "Failed", "Stopped"]
    assert jobs.headline([a_job(state="done")]) == "1 task ended"
