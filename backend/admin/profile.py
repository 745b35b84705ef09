"""What phones take to set themselves up: Apple's configuration profile, and a code that leads to it. No password in either."""

import io
import plistlib
import uuid

import segno

from backend.api import connect as c

_SPACE = uuid.UUID("6f2b8f0e-6d0b-4c59-9a53-6a3f0f3f6a11")
"""Profiles of the same account have the same names, so that a newer one takes the place of the older."""


def mobileconfig(settings: c.ClientSettings, organisation: str) -> bytes:
    """Apple's “Configuration Profile Reference”, payload `com.apple.mail.managed`. The phone asks for the password itself.

    It is not signed: the phone says so, and installs it all the same.
    """
    incoming, outgoing = _best(settings.incoming), _best(settings.outgoing)
    address = settings.address
    payload: dict[str, object] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"gatepost.{organisation}.{settings.account}.mail",
        "PayloadUUID": str(uuid.uuid5(_SPACE, f"{organisation} {address} mail")).upper(),
        "PayloadDisplayName": address,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": address,
        "EmailAccountName": settings.full_name or address,
        "EmailAddress": address,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingPasswordSameAsIncomingPassword": True,
        "SMIMEEnabled": False,
        **_server("Incoming", incoming),
        **_server("Outgoing", outgoing),
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"gatepost.{organisation}.{settings.account}",
        "PayloadUUID": str(uuid.uuid5(_SPACE, f"{organisation} {address}")).upper(),
        "PayloadDisplayName": f"Mail: {address}",
        "PayloadDescription": f"Sets up {address} in the mail app. It asks for the password.",
        "PayloadOrganization": organisation,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile, sort_keys=False)


def _best(servers: list[c.MailServer]) -> c.MailServer | None:
    return next((each for each in servers if each.recommended), servers[0] if servers else None)


def _server(side: str, server: c.MailServer | None) -> dict[str, object]:
    if server is None:
        return {}
    return {
        f"{side}MailServerHostName": server.host,
        f"{side}MailServerPortNumber": server.port,
        f"{side}MailServerUseSSL": server.security != "none",
        f"{side}MailServerUsername": server.user_name,
    }


def qr_svg(text: str) -> str:
    """Black on white, so that cameras read it in the dark scheme too."""
    out = io.BytesIO()
    code = segno.make(text, error="m")
    code.save(out, kind="svg", border=3, dark="#000", light="#fff", xmldecl=False, scale=4)
    return out.getvalue().decode("ascii")
