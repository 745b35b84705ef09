"""Whether the address of a server, as typed, may be used."""


def complete_server_address(text: str) -> str:
    """`mail.example.org:8443` → `https://mail.example.org:8443`."""
    url = text.strip().rstrip("/")
    return f"https://{url}" if url and "://" not in url else url


def check_server_address(url: str) -> str:
    """What is wrong with a complete one, or nothing."""
    if not url:
        return "Enter the address of the server."
    if not url.startswith(("http://", "https://")):
        return "The address begins with https://."
    if url.startswith("http://") and not _is_loopback(url):
        return "Use https://: over http:// the password could be read on the way."
    return ""


def _is_loopback(url: str) -> bool:
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name in {"localhost", "127.0.0.1", "[::1]"}
