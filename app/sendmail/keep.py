"""A message that could not be sent stays: in a folder of the user's home."""

import os
import stat
from pathlib import Path

FOLDER = "gatepost-sendmail.failures"


def save_failed(content: bytes, *, recipient: str, reason: str) -> Path:
    """The new file. Why it was not sent stands in a header line on top.

    Raises:
        OSError: it can't be written.
        RuntimeError: this user has no home.
    """
    import tempfile  # late, because start-up time counts

    folder = Path.home() / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    # SECURITY: not through another user's folder or link.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(0, f"{folder} is no folder of yours")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    note = " ".join(f"to {recipient or 'nobody yet'}: {reason}".split())
    descriptor, name = tempfile.mkstemp(prefix="newmsg.", dir=folder)
    with open(descriptor, "wb") as stream:
        stream.write(f"X-Gatepost-Not-Sent: {note}\r\n".encode("utf-8", "backslashreplace"))
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(name)
