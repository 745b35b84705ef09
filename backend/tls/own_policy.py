"""The MTA-STS policy that this server publishes for one of its domains: the text, and the id that the DNS announces."""

import hashlib
from dataclasses import dataclass

from backend.config.model import Config
from backend.tls.sts import Mode, StsPolicy


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    policy: StsPolicy
    id: str

    @property
    def text(self) -> str:
        """The file `mta-sts.txt` (RFC 8461 §3.2)."""
        return "".join(f"{line}\r\n" for line in self.policy.lines)


def own_policy(config: Config, domain: str) -> OwnPolicy | None:
    """None for a domain without a policy, or one that is not here."""
    home = config.domains.domains.get(domain)
    if home is None or home.mta_sts.mode == "off":
        return None
    settings = home.mta_sts
    policy = StsPolicy(
        mode=Mode(settings.mode),
        mx=tuple(settings.mx) or (config.server.hostname,),
        max_age_s=settings.max_age_s,
    )
    # Other servers fetch the policy again when the id is another one, so it must not outlive a change.
    made = hashlib.sha256("\n".join(policy.lines).encode()).hexdigest()[:20]
    return OwnPolicy(policy, settings.policy_id or made)
