"""Expected against found, one function for each kind of record. Pure: what a survey found is only read."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import replace

from backend.checkup.checks import Check, check_of, unknown
from backend.checkup.facts import Facts, is_public
from backend.checkup.records import Record
from backend.dns.answers import Answer, Found, LookupFailed

Get = Callable[[str, str], Answer[str]]

ADD = "Add this record where the DNS of {name} is kept."
REPLACE = "Replace what is there by this."


def found_of(answer: Answer[str]) -> tuple[str, ...]:
    return answer.records if isinstance(answer, Found) else ()


def compare_address(record: Record, get: Get) -> Check:
    alias = get(record.name, "CNAME")
    if isinstance(alias, Found):
        # RFC 2181 §10.3, RFC 5321 §5.1: the host of an MX has addresses of its own.
        return check_of(
            record,
            "different",
            f"{record.name} is an alias (CNAME) of {alias.records[0]}; the name of a mail server must not be one.",
            found=(f"CNAME {alias.records[0]}",),
            fix="Remove the CNAME and put the address itself there.",
        )
    answer = get(record.name, record.type)
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    if not record.values:
        return _compare_unnamed_address(record, get, found)
    if not found:
        return check_of(
            record, "missing", f"{record.name} has no address.", fix=ADD.format(name=record.name)
        )
    expected = {ipaddress.ip_address(each) for each in record.values}
    if {ipaddress.ip_address(each) for each in found} == expected:
        return check_of(record, "ok", f"{record.name} leads to this server.", found=found)
    return check_of(
        record,
        "different",
        f"{record.name} leads to {', '.join(found)}.",
        found=found,
        fix=f"{REPLACE} If the address of this server has changed, correct “public_addresses” of the listener.",
    )


def _compare_unnamed_address(record: Record, get: Get, found: tuple[str, ...]) -> Check:
    other = get(record.name, "AAAA")
    if not found and isinstance(other, LookupFailed):
        return unknown(record, other)
    found += found_of(other)
    hint = "Name the public address of this server as “public_addresses” of its listener."
    if not found:
        return check_of(
            record,
            "missing",
            f"{record.name} has no address.",
            fix=f"Add a record of type A with the public address of this server. {hint}",
        )
    private = [each for each in found if not is_public(each)]
    if private:
        return check_of(
            record,
            "different",
            f"{record.name} leads to {', '.join(private)}, which nobody can reach from outside.",
            found=found,
            fix="Put the public address there.",
        )
    return check_of(
        record,
        "ok",
        f"{record.name} leads to {', '.join(found)}; whether that is this server, the settings do not say.",
        found=found,
    )


def compare_mx(record: Record, get: Get) -> Check:
    answer = get(record.name, "MX")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    ours = record.values[0].partition(" ")[2]
    if not found:
        return check_of(
            record,
            "missing",
            f"{record.name} does not say who takes its mail.",
            fix=ADD.format(name=record.name),
        )
    hosts = sorted((int(preference), host) for preference, _, host in map(_split, found))
    if any(host == "." for _, host in hosts):
        return check_of(
            record,
            "different",
            f"{record.name} says that it takes no mail at all (a null MX).",
            found=found,
            fix=REPLACE,
        )
    best = [host for preference, host in hosts if preference == hosts[0][0]]
    others = [host for _, host in hosts if host != ours]
    if ours not in [host for _, host in hosts]:
        return check_of(
            record,
            "different",
            f"Mail for {record.name} goes to {', '.join(others)}, not to this server.",
            found=found,
            fix=f"{REPLACE} Do that when you are ready to receive here: from then on no mail goes to {others[0]}.",
        )
    if ours not in best:
        return check_of(
            record,
            "different",
            f"Mail for {record.name} goes to {best[0]} first, and here only when that one is down.",
            found=found,
            fix="Give this server the lowest priority number, or remove the others.",
        )
    more = f" {', '.join(others)} may take it as well." if others else ""
    return check_of(record, "ok", f"Mail for {record.name} goes to this server.{more}", found=found)


def _split(text: str) -> tuple[str, str, str]:
    preference, space, host = text.partition(" ")
    return (preference if preference.isdecimal() else "0"), space, host


def compare_dkim(record: Record, get: Get) -> Check:
    answer = get(record.name, "TXT")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    keys = [_tags(text) for text in found]
    if not found:
        return check_of(
            record,
            "missing",
            "The key is not in the DNS, so nobody can check the signatures.",
            fix=ADD.format(name=record.name),
        )
    wanted = _tags(record.values[0])
    if len(found) > 1:
        summary = "There are several records with keys, and others can't tell which one holds."
    elif keys[0].get("p") == "":
        summary = "The key in the DNS is withdrawn (its p= is empty)."
    elif keys[0].get("p") != wanted.get("p"):
        summary = "The key in the DNS is not the one with which this server signs."
    elif keys[0].get("k", "rsa") != wanted.get("k", "rsa"):
        summary = "The kind of the key in the DNS (k=) is wrong."
    else:
        return check_of(record, "ok", "The key is in the DNS.", found=found)
    return check_of(record, "different", summary, found=found, fix=REPLACE)


def _tags(text: str) -> dict[str, str]:
    """RFC 6376 §3.2 tag-list: `k=rsa; p=MIIB…`, white space anywhere in values."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), "".join(value.split()))
    return tags


def compare_dmarc(record: Record, get: Get) -> Check:
    answer = get(record.name, "TXT")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    everything = found_of(answer)
    found = tuple(text for text in everything if text.lower().startswith("v=dmarc1"))
    if not found:
        return check_of(
            record,
            "missing",
            "There is no DMARC record.",
            found=everything,
            fix=ADD.format(name=record.name),
        )
    if len(found) > 1:
        return check_of(
            record,
            "different",
            "There are several DMARC records; that makes all of them invalid.",
            found=found,
            fix="Keep one of them.",
        )
    policy = _tags(found[0]).get("p", "").lower()
    if policy not in {"none", "quarantine", "reject"}:
        return check_of(
            record,
            "different",
            "The DMARC record has no policy that others understand (p=none, quarantine or reject).",
            found=found,
            fix=REPLACE,
        )
    # Which policy to publish is the owner's choice; any valid one will do.
    says = {
        "none": "asks others for reports only",
        "quarantine": "has others put forgeries into the junk folder",
        "reject": "has others refuse forgeries",
    }[policy]
    return check_of(record, "ok", f"It {says} (p={policy}).", found=found)


def compare_version(version: str) -> Callable[[Record, Get], Check]:
    """Records that begin with a version and of which there must be one: MTA-STS, TLSRPT."""

    def compare(record: Record, get: Get) -> Check:
        answer = get(record.name, "TXT")
        if isinstance(answer, LookupFailed):
            return unknown(record, answer)
        found = tuple(text for text in found_of(answer) if text.lower().startswith(version.lower()))
        if not found:
            return check_of(record, "missing", "It is not there.", fix=ADD.format(name=record.name))
        if len(found) > 1:
            return check_of(
                record,
                "different",
                "There are several such records; that makes all of them invalid.",
                found=found,
                fix="Keep one of them.",
            )
        wanted, tags = _tags(record.values[0]), _tags(found[0])
        if "id" in wanted and tags.get("id") != wanted["id"]:
            return check_of(
                record,
                "different",
                "It names another version of the rule than the one that this server publishes.",
                found=found,
                fix=REPLACE,
            )
        if "rua" in wanted and not tags.get("rua"):
            return check_of(
                record, "different", "It does not say where reports go.", found=found, fix=REPLACE
            )
        return check_of(record, "ok", "It is there.", found=found)

    return compare


def compare_tlsa(record: Record, get: Get) -> Check:
    answer = get(record.name, "TLSA")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = tuple(text.lower() for text in found_of(answer))
    if not found:
        return check_of(
            record,
            "missing",
            "It is not there; that does no harm.",
            fix=f"{ADD.format(name=record.name)} Only if that zone is signed with DNSSEC.",
        )
    if record.values[0].lower() in found:
        return check_of(record, "ok", "It fits the certificate.", found=found)
    # RFC 7672 §2.2: who looks at it will not deliver to us; optional to have, but not to have wrong.
    wrong = check_of(
        record,
        "different",
        "It does not fit the certificate of this server. Others who look at it deliver no mail here.",
        found=found,
        fix=f"{REPLACE} Or remove it.",
    )
    return replace(wrong, severity="required")


def compare_srv(record: Record, get: Get) -> Check:
    answer = get(record.name, "SRV")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    wanted = record.values[0].split()[2:]
    if not found:
        return check_of(record, "missing", "It is not there.", fix=ADD.format(name=record.name))
    if any(text.split()[2:] == wanted for text in found):
        return check_of(record, "ok", "It leads to this server.", found=found)
    return check_of(
        record, "different", "It leads elsewhere, or to another port.", found=found, fix=REPLACE
    )


def compare_web_name(record: Record, get: Get) -> Check:
    """An alias of the server's name, or the same addresses."""
    host = record.values[0]
    alias = get(record.name, "CNAME")
    if isinstance(alias, LookupFailed):
        return unknown(record, alias)
    if isinstance(alias, Found) and alias.records[0] == host:
        return check_of(record, "ok", "It leads to this server.", found=alias.records)
    own, theirs = _addresses(host, get), _addresses(record.name, get)
    if isinstance(theirs, LookupFailed):
        return unknown(record, theirs)
    found = (*found_of(alias), *sorted(theirs))
    if not found:
        return check_of(record, "missing", "It is not there.", fix=ADD.format(name=record.name))
    if isinstance(own, LookupFailed):
        return unknown(record, own)
    if theirs and theirs <= own:
        return check_of(record, "ok", "It leads to this server.", found=found)
    return check_of(record, "different", "It leads elsewhere.", found=found, fix=REPLACE)


def _addresses(name: str, get: Get) -> frozenset[str] | LookupFailed:
    answers = [get(name, kind) for kind in ("A", "AAAA")]
    found = frozenset(text for answer in answers for text in found_of(answer))
    failed = next((answer for answer in answers if isinstance(answer, LookupFailed)), None)
    return failed if failed is not None and not found else found


def compare_caa(record: Record, get: Get) -> Check:
    answer = get(record.name, "CAA")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    issuers = [text for text in found if len(text.split()) > 1 and text.split()[1] == "issue"]
    if not issuers:
        return check_of(
            record,
            "missing",
            "Any certificate authority may issue certificates; that is how most domains have it.",
            found=found,
            fix=ADD.format(name=record.name),
        )
    ours = record.values[0].split('"')[1]
    if any(text.split('"')[1].partition(";")[0].strip() == ours for text in issuers if '"' in text):
        return check_of(record, "ok", f"{ours} may issue certificates.", found=found)
    wrong = check_of(
        record,
        "different",
        f"Your certificate comes from {ours}, which is not among those that may issue it; it can't be renewed.",
        found=found,
        fix="Add this record to those that are there.",
    )
    return replace(wrong, severity="required")


def compare_ptr(record: Record, get: Get) -> Check:
    answer = get(record.name, "PTR")
    if isinstance(answer, LookupFailed):
        return unknown(record, answer)
    found = found_of(answer)
    address = _address_of(record.name)
    who = "Whoever gives you the address (your provider) sets this, not the DNS of your domain."
    if record.code == "socks_ptr":
        transport = record.note.partition("“")[2].removesuffix("”")
        who = f"For SOCKS transport {transport}, ensure that {address} has the reverse address {record.values[0]}."
    if not found:
        return check_of(record, "missing", f"{address} has no name.", fix=who)
    if record.values[0] not in found:
        return check_of(
            record, "different", f"{address} has the name {', '.join(found)}.", found=found, fix=who
        )
    forward = _addresses(record.values[0], get)
    if isinstance(forward, LookupFailed):
        return unknown(record, forward)
    if address not in {str(ipaddress.ip_address(each)) for each in forward}:
        leads = f"leads to {', '.join(sorted(forward))}" if forward else "has no address"
        return check_of(
            record,
            "different",
            f"{address} has the name {record.values[0]}, but that {leads}: both ways must agree.",
            found=found,
            fix=f"Add the address {address} to {record.values[0]}.",
        )
    return check_of(record, "ok", f"{address} has the name of the server, and back.", found=found)


def _address_of(pointer: str) -> str:
    """The inverse of `reverse_pointer`."""
    labels = pointer.split(".")[:-2][::-1]
    if pointer.endswith(".ip6.arpa"):
        digits = "".join(labels)
        groups = [digits[at : at + 4] for at in range(0, 32, 4)]
        return str(ipaddress.ip_address(":".join(groups)))
    return ".".join(labels)


def stray_mta_sts(facts: Facts, get: Get) -> Sequence[Check]:
    """A rule that is announced and not published makes careful senders wait or give up."""
    record = Record(
        code="mta_sts",
        area="protection",
        title="Encrypted delivery to you",
        purpose="Tells others that they should deliver to you with verified encryption only.",
        severity="recommended",
        name=f"_mta-sts.{facts.domain}",
        type="TXT",
        values=(),
    )
    found = tuple(
        text for text in found_of(get(record.name, "TXT")) if text.lower().startswith("v=stsv1")
    )
    if facts.mta_sts_id or not found:
        return ()
    return (
        check_of(
            record,
            "different",
            "The DNS announces a rule for encrypted delivery (MTA-STS), but this server publishes none.",
            found=found,
            fix="Remove this record, unless another web server publishes the rule and it names this mail server.",
        ),
    )


COMPARE: dict[str, Callable[[Record, Get], Check]] = {
    "address": compare_address,
    "mx": compare_mx,
    "dkim": compare_dkim,
    "dmarc": compare_dmarc,
    "ptr": compare_ptr,
    "socks_ptr": compare_ptr,
    "srv": compare_srv,
    "autoconfig": compare_web_name,
    "mta_sts": compare_version("v=STSv1"),
    "mta_sts_host": compare_web_name,
    "tlsrpt": compare_version("v=TLSRPTv1"),
    "tlsa": compare_tlsa,
    "caa": compare_caa,
}
"""By `Record.code`; SPF needs further questions and stands in `spf_check`."""
