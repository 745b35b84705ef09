"""How a mail app is set up, device by device, in the words that both faces show."""

from backend.api.connect import Device


def devices(address: str, trust: str) -> list[Device]:
    """`trust`: what to do about the certificate; empty when programs trust it by themselves."""
    last = [
        *([trust] if trust else []),
        "The password is the one that was shown when the account was made. Set a new one under Sign-in and devices if it is lost.",
    ]
    return [
        Device(
            id="apple",
            title="iPhone, iPad, Mac",
            profile=True,
            steps=[
                "Make a code on this page, and point the camera of the phone at it. On a Mac open the link instead.",
                "Allow the download of the profile.",
                "Open Settings: at the top stands “Profile downloaded”. Tap it, then Install.",
                f"Enter the password of {address} when it is asked for.",
                *last,
            ],
        ),
        Device(
            id="android",
            title="Android",
            steps=[
                "In Thunderbird for Android or K-9 Mail: add an account.",
                f"Enter {address}. The app looks the settings up; check that they are those of this page.",
                "Enter the password. Gmail's app does not look them up: choose “Other”, then IMAP, and copy the values from this page.",
                *last,
            ],
        ),
        Device(
            id="thunderbird",
            title="Thunderbird",
            steps=[
                "Open Account Settings, then Account Actions → Add Mail Account.",
                f"Enter your name, {address} and your password. It looks the settings up.",
                "If it does not find them: Configure manually, and copy server, port, security and user name from this page. Choose “Normal password”.",
                *last,
            ],
        ),
        Device(
            id="outlook",
            title="Outlook",
            steps=[
                f"Choose File → Add Account and enter {address}.",
                "Open “Advanced options”, tick “Let me set up my account manually”, choose IMAP.",
                "Copy the values of both servers from this page.",
                *last,
            ],
        ),
        Device(
            id="other",
            title="Other",
            steps=[
                f"Choose “IMAP” as the kind of account and enter {address}.",
                "Copy the values of both servers from this page.",
                *last,
            ],
        ),
    ]
