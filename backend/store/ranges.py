"""UID sets inside SQL and in the database: as JSON lists of runs."""

import json
from itertools import islice

from backend.core.uidset import UidSet

MAX_RUNS = 2000  # that one statement is given


def runs_json(uids: UidSet) -> str:
    """`[[1,5],[9,9]]`; for `json_each`, whose rows come in this order, so that UIDs ascend."""
    return f"[{','.join(f'[{first},{last}]' for first, last in uids.runs())}]"


def first_runs_json(uids: UidSet) -> str:
    """At most `MAX_RUNS` of them."""
    return f"[{','.join(f'[{first},{last}]' for first, last in islice(uids.runs(), MAX_RUNS))}]"


def from_json(text: str) -> UidSet:
    return UidSet((first, last) for first, last in json.loads(text))


def after(uids: UidSet, uid: int) -> UidSet:
    """What comes after a UID."""
    if not uids or uid < uids.first:
        return uids
    if uid >= uids.last:
        return UidSet()
    return uids & UidSet([(uid + 1, uids.last)])
