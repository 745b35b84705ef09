"""The record of sign-ins: what is found in it, and where the failed ones came from."""

import json
from pathlib import Path

from backend.core.events import SignedIn
from backend.observe.signins import SignInFilter, SignIns, by_address, matching


def entry(at: float, peer: str = "192.0.2.7", *, ok: bool = False, **values: object) -> SignedIn:
    given = {"account": "anna" if ok else "", "address": "anna@example.org", "protocol": "imap"}
    return SignedIn(
        **{**given, "mechanism": "PLAIN", "peer": peer, "succeeded": ok, "at": at, **values}  # type: ignore[arg-type]  # values of a test
    )


def test_entries_are_found_by_what_is_asked_for(tmp_path: Path) -> None:
    kept = SignIns(tmp_path)
    kept.add(entry(1, ok=True, encrypted=True, client="Thunderbird"))
    kept.add(entry(2, peer="203.0.113.9", protocol="submission"))
    kept.add(entry(3, peer="203.0.113.9", address="root"))
    all_of_them = kept.snapshot()
    assert [number for number, _ in all_of_them] == [3, 2, 1]

    def found(**wanted: object) -> list[float]:
        chosen = SignInFilter(**wanted)  # type: ignore[arg-type]  # values of a test
        return [each.at for _, each in matching(all_of_them, chosen)]

    assert found() == [3, 2, 1]
    assert found(succeeded=True) == [1]
    assert found(succeeded=False, protocol="imap") == [3]
    assert found(peer="203.0.113.9", since=3) == [3]
    assert found(text="THUNDER") == [1]
    assert found(account="anna") == [1]


def test_failures_are_counted_by_where_they_came_from(tmp_path: Path) -> None:
    kept = SignIns(tmp_path)
    kept.add(entry(1, ok=True))
    kept.add(entry(2))
    for at in range(3, 33):
        kept.add(entry(at, peer="203.0.113.9", address=f"guess{at}"))
    worst, other = by_address(kept.snapshot())
    assert (worst.peer, worst.count, worst.first_at, worst.last_at) == ("203.0.113.9", 30, 3, 32)
    assert len(worst.names) == 20
    assert (other.count, other.succeeded, other.protocols) == (1, 1, ["imap"])
    assert [one.peer for one in by_address(kept.snapshot(), "guess31")] == ["203.0.113.9"]


def test_entries_written_by_an_older_version_are_read(tmp_path: Path) -> None:
    kept = SignIns(tmp_path)
    kept.add(entry(1, encrypted=False, client="x"))
    kept.close()
    file = next(tmp_path.glob("*.jsonl"))
    line = json.loads(file.read_text())
    del line["encrypted"], line["client"]
    file.write_text(json.dumps(line) + "\n" + file.read_text())
    again = SignIns(tmp_path)
    again.load()
    assert [(each.encrypted, each.client) for _, each in again.snapshot()] == [
        (False, "x"),
        (None, ""),
    ]
