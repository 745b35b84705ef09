"""Which words an error gets, and at which field of a form it belongs."""

from backend.api.client import ApiError, NotReachableError


def describe_error(error: Exception) -> str:
    """One or more sentences; never a type name, never nothing."""
    if isinstance(error, ApiError):
        lines = [f"{issue.message} {issue.fix}".strip() for issue in error.issues]
        return "\n".join(lines) or error.title
    if isinstance(error, NotReachableError):
        return "The server did not answer. The window tries again by itself."
    if isinstance(error, TimeoutError):
        return "That took too long, so it was given up. Try again."
    return str(error) or "Something unexpected happened. The report under Server has the details."


def faults_by_field(error: ApiError) -> dict[str, str]:
    """The server's issues by the last part of their path (`/address` → `address`); the rest under an empty name."""
    faults: dict[str, str] = {}
    for issue in error.issues or []:
        name = issue.path.rstrip("/").rpartition("/")[2]
        text = f"{issue.message} {issue.fix}".strip()
        faults[name] = f"{faults[name]}\n{text}" if name in faults else text
    return faults or {"": error.title}
