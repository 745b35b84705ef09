"""Who keeps the DNS of a domain, by the names of its name servers, and how that provider's form wants a record. Pure.

Field names as the providers' own forms show them in English; `GENERIC` serves everybody else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`servers`: endings of the names of its name servers; `*` inside a label stands for any letters.

    `apex`: what its form wants for the domain itself. `dot`: whether host names end with a dot there. `priority_in_value`: the
    priority of an MX stands in front of the host, in one field. `quotes`: texts are entered in quotes, long ones in several.
    """

    id: str
    name: str
    servers: tuple[str, ...] = ()
    place: str
    """Where one finds the form."""
    button: str = "Add record"
    save: str = "Save"
    apex: str = "@"
    full_names: bool = False
    dot: bool = False
    priority_in_value: bool = False
    quotes: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    """Of fields whose name there is not ours: `Name`, `Value`, `Priority`, also for one type only: `Value MX`."""
    note: str = ""

    def label(self, ours: str, kind: str) -> str:
        return self.labels.get(f"{ours} {kind}") or self.labels.get(ours) or ours

    @property
    def steps(self) -> tuple[str, ...]:
        apex = f"“{self.apex}”" if self.apex else "nothing (leave it empty)"
        names = "the whole name" if self.full_names else f"{apex} for the domain itself"
        last = f"Press “{self.save}”, then “Check again” here."
        return (
            f"Open {self.place}.",
            f"Press “{self.button}” and choose the type.",
            f"Copy the fields from here. “{self.label('Name', 'TXT')}” takes {names}.",
            f"{self.note} {last}" if self.note else last,
        )


GENERIC = Provider(
    id="",
    name="",
    place="the DNS settings of your domain, where you registered it or where its name servers are",
    note="Some forms want the whole name, and host names with a dot at the end: look at the records that are there already.",
)

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        id="cloudflare",
        name="Cloudflare",
        servers=("ns.cloudflare.com", "secondary.cloudflare.com"),
        place="dash.cloudflare.com, choose the domain, then DNS → Records",
        labels={
            "Value": "Content",
            "Value A": "IPv4 address",
            "Value AAAA": "IPv6 address",
            "Value MX": "Mail server",
            "Value CNAME": "Target",
        },
        note="Set “Proxy status” to “DNS only” (grey cloud) for addresses and aliases: mail does not pass the proxy.",
    ),
    Provider(
        id="hetzner",
        name="Hetzner",
        servers=("ns.hetzner.com", "ns.hetzner.de", "first-ns.de", "second-ns.de", "second-ns.com"),
        place="console.hetzner.com (or dns.hetzner.com), choose the zone, then Records",
        dot=True,
        labels={"Value MX": "Mail server"},
    ),
    Provider(
        id="ovh",
        name="OVHcloud",
        servers=("ovh.net", "ovh.ca", "anycast.me"),
        place="the OVHcloud Control Panel, Web Cloud → Domain names → your domain → DNS zone",
        button="Add an entry",
        save="Confirm",
        apex="",
        dot=True,
        labels={"Name": "Sub-domain", "Value": "Target", "Value TXT": "Value"},
    ),
    Provider(
        id="godaddy",
        name="GoDaddy",
        servers=("domaincontrol.com",),
        place="godaddy.com, My Products → your domain → DNS",
        button="Add New Record",
    ),
    Provider(
        id="namecheap",
        name="Namecheap",
        servers=("registrar-servers.com",),
        place="namecheap.com, Domain List → Manage → Advanced DNS",
        button="Add New Record",
        save="Save all changes",
        labels={"Name": "Host", "Value CNAME": "Target"},
        note="For an MX record set “Mail Settings” to “Custom MX” first.",
    ),
    Provider(
        id="ionos",
        name="IONOS",
        servers=("ui-dns.com", "ui-dns.de", "ui-dns.org", "ui-dns.biz"),
        place="my.ionos.com, Domains & SSL → your domain → DNS",
        labels={
            "Name": "Host name",
            "Value A": "Points to",
            "Value AAAA": "Points to",
            "Value MX": "Points to",
            "Value CNAME": "Points to",
        },
    ),
    Provider(
        id="strato",
        name="STRATO",
        servers=("rzone.de", "strato-hosting.eu"),
        place="strato.de, Domains → Domain administration → your domain → DNS",
        button="Manage",
        apex="",
        labels={"Name": "Prefix", "Value MX": "Mail server"},
        note="Each type has a page of its own there: “MX record”, “TXT and CNAME records”, “A record”.",
    ),
    Provider(
        id="gandi",
        name="Gandi",
        servers=("gandi.net",),
        place="admin.gandi.net, Domain → your domain → DNS Records",
        button="Add record",
        save="Create",
        dot=True,
        labels={"Value MX": "Hostname", "Value CNAME": "Hostname"},
    ),
    Provider(
        id="route53",
        name="Amazon Route 53",
        servers=("awsdns-*.com", "awsdns-*.net", "awsdns-*.org", "awsdns-*.co.uk"),
        place="the AWS console, Route 53 → Hosted zones → your domain",
        button="Create record",
        save="Create records",
        apex="",
        priority_in_value=True,
        quotes=True,
        labels={"Name": "Record name"},
    ),
    Provider(
        id="desec",
        name="deSEC",
        servers=("desec.io", "desec.org"),
        place="desec.io, your domain",
        button="+",
        apex="",
        dot=True,
        labels={
            "Name": "Subname",
            "Value": "Content",
            "Priority": "Preference",
            "Value MX": "Hostname",
        },
    ),
    Provider(
        id="digitalocean",
        name="DigitalOcean",
        servers=("digitalocean.com",),
        place="cloud.digitalocean.com, Networking → Domains → your domain",
        button="Create record",
        save="Create record",
        dot=True,
        labels={
            "Name": "Hostname",
            "Value A": "Will direct to",
            "Value MX": "Mail providers mail server",
        },
    ),
    Provider(
        id="netcup",
        name="netcup",
        servers=("netcup.net",),
        place="customercontrolpanel.de, Domains → your domain → DNS",
        save="Save DNS records",
        labels={"Name": "Host", "Value": "Destination", "Priority": "MX"},
    ),
    Provider(
        id="inwx",
        name="INWX",
        servers=("inwx.de", "inwx.eu", "inwx.com", "inwx.net"),
        place="inwx.com, Nameserver → your domain",
        apex="",
        labels={"Priority": "Prio"},
    ),
    Provider(
        id="porkbun",
        name="Porkbun",
        servers=("porkbun.com",),
        place="porkbun.com, Domain Management → your domain → DNS",
        button="Add",
        apex="",
        labels={"Name": "Host", "Value": "Answer"},
    ),
    Provider(
        id="squarespace",
        name="Squarespace",
        servers=("squarespacedns.com", "ns-cloud-*.googledomains.com"),
        place="account.squarespace.com, Domains → your domain → DNS → Custom records",
        labels={"Name": "Host", "Value": "Data"},
    ),
    Provider(
        id="dnsimple",
        name="DNSimple",
        servers=("dnsimple.com", "dnsimple-edge.net", "dnsimple-edge.org"),
        place="dnsimple.com, your domain → DNS → Manage records",
        apex="",
        labels={"Value": "Content", "Value MX": "Mail server"},
    ),
    Provider(
        id="azure",
        name="Azure DNS",
        servers=("azure-dns.com", "azure-dns.net", "azure-dns.org", "azure-dns.info"),
        place="portal.azure.com, DNS zones → your domain → Recordsets",
        button="Add",
        labels={"Priority": "Preference", "Value MX": "Mail exchange", "Value CNAME": "Alias"},
    ),
    Provider(
        id="all-inkl",
        name="ALL-INKL.COM",
        servers=("kasserver.com",),
        place="kas.all-inkl.com, Tools → DNS settings → your domain",
        button="Create new DNS entry",
        apex="",
        dot=True,
        labels={"Value": "Data", "Priority": "Prio"},
    ),
)


def provider_of(name_servers: Iterable[str]) -> Provider:
    """`GENERIC` when nobody is known by them, or when they belong to several."""
    found = {_provider_of_one(name.rstrip(".").lower()) for name in name_servers}
    if len(found) != 1:
        return GENERIC
    known = found.pop()
    return next((each for each in PROVIDERS if each.id == known), GENERIC)


def _provider_of_one(name: str) -> str:
    for provider in PROVIDERS:
        if any(_ends_with(name, ending) for ending in provider.servers):
            return provider.id
    return ""


def _ends_with(name: str, ending: str) -> bool:
    wanted, labels = ending.split("."), name.split(".")
    if len(labels) < len(wanted):
        return False
    return all(
        label == want or ("*" in want and label.startswith(want.partition("*")[0]))
        for label, want in zip(labels[-len(wanted) :], wanted, strict=True)
    )
