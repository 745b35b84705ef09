"""What the SMTP server knows of a session beside the envelope: given to the incoming pipeline and to submission."""

from dataclasses import dataclass

from backend.core.ids import AccountId, Cid, TraceId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """`greeting` is the name of EHLO or HELO; `protocol` what the Received line says after `with` (RFC 3848, RFC 6531)."""

    trace: TraceId
    cid: Cid
    peer_address: str
    peer_port: int = 0
    local_address: str = ""
    local_port: int = 0
    greeting: str = ""
    greeting_is_valid: bool = True
    protocol: str = "ESMTP"
    tls: str = ""
    """Version and cipher, such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS."""
    account: AccountId | None = None
    peer_is_loopback: bool = False
