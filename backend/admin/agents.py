"""What a program says of itself (User-Agent, the name of EHLO), in a few words."""

import re

_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Mac OS": "a Mac",
    "Linux": "Linux",
}
MAX_CHARS = 60


def program_of(said: str) -> str:
    """`Firefox on Linux`; what is no browser stays as it is, up to a length."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in said), "")
    if not browser or not said.startswith("Mozilla/"):
        return re.sub(r"\s+", " ", said).strip()[:MAX_CHARS]
    system = next((name for mark, name in _SYSTEMS.items() if mark in said), "")
    return f"{browser} on {system}" if system else browser
