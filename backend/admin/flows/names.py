"""Which names can't be somebody's own domain: those of mail providers for everyone, and those under which domains are sold."""

FREEMAIL: dict[str, str] = {
    name: owner
    for owner, names in {
        "Google": "gmail.com googlemail.com",
        "Microsoft": "outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.de hotmail.fr live.com msn.com",
        "Yahoo": "yahoo.com yahoo.co.uk yahoo.de yahoo.fr ymail.com rocketmail.com",
        "AOL": "aol.com aim.com",
        "Apple": "icloud.com me.com mac.com",
        "Proton": "proton.me protonmail.com pm.me",
        "GMX": "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.fr",
        "web.de": "web.de",
        "Deutsche Telekom": "t-online.de magenta.de",
        "freenet": "freenet.de",
        "Posteo": "posteo.de posteo.net",
        "mailbox.org": "mailbox.org",
        "Tuta": "tutanota.com tutanota.de tuta.io tuta.com tutamail.com",
        "Zoho": "zoho.com zohomail.com",
        "Fastmail": "fastmail.com fastmail.fm",
        "Yandex": "yandex.ru yandex.com ya.ru",
        "VK": "mail.ru bk.ru list.ru inbox.ru",
        "mail.com": "mail.com email.com",
        "Orange": "orange.fr wanadoo.fr",
        "Free": "free.fr",
        "La Poste": "laposte.net",
        "Libero": "libero.it",
        "Seznam": "seznam.cz",
        "WP": "wp.pl o2.pl",
        "NetEase": "163.com 126.com",
        "Tencent": "qq.com foxmail.com",
        "Comcast": "comcast.net",
        "AT&T": "att.net sbcglobal.net",
        "Verizon": "verizon.net",
        "BT": "btinternet.com",
        "Bluewin": "bluewin.ch",
    }.items()
    for name in names.split()
}
"""Domain to whom it belongs."""

_BELOW = {
    "uk": "co org me ltd plc net sch ac gov nhs",
    "au": "com net org edu gov id asn",
    "nz": "co net org geek gen kiwi maori school ac govt",
    "za": "co net org web ac gov",
    "br": "com net org gov edu art blog",
    "jp": "co ne or ac go ad ed gr",
    "in": "co net org firm gen ind ac gov",
    "kr": "co ne or re pe ac go",
    "cn": "com net org ac gov edu",
    "tw": "com net org idv gov edu",
    "hk": "com net org idv edu gov",
    "sg": "com net org edu gov per",
    "my": "com net org edu gov name",
    "th": "co in or ac go net",
    "id": "co or web my biz sch ac go",
    "tr": "com net org web gen bel pol edu gov k12",
    "mx": "com net org edu gob",
    "ar": "com net org edu gob tur",
    "co": "com net nom org edu gov",
    "il": "co net org ac gov muni k12",
    "pl": "com net org edu gov info biz waw",
    "pt": "com org edu gov",
    "es": "com nom org edu gob",
    "at": "co or ac gv",
    "fr": "asso com gouv nom",
    "hu": "co info org sport",
    "gr": "com net org edu gov",
    "ua": "com net org edu gov in kiev kyiv lviv",
    "ru": "com msk spb",
    "it": "gov edu",
    "ve": "co com net org web",
    "pe": "com net nom org edu gob",
    "ph": "com net org edu gov",
    "vn": "com net org edu gov name",
    "pk": "com net org edu gov",
    "bd": "com net org edu gov",
    "eg": "com net org edu gov",
    "ng": "com net org edu gov",
    "ke": "co or ne go ac me",
}
_SINGLE = (
    "eu.org uk.com us.com de.com gb.net eu.com co.com github.io gitlab.io netlify.app vercel.app pages.dev workers.dev "
    "herokuapp.com blogspot.com duckdns.org dyndns.org no-ip.org ddns.net dedyn.io"
)

SUFFIXES = frozenset(
    [f"{label}.{top}" for top, labels in _BELOW.items() for label in labels.split()]
    + _SINGLE.split()
)
"""Names of two labels or more under which everyone can have a domain. The usual ones; who asks the DNS finds out about the rest."""

RESERVED = {
    "localhost": "It names each computer itself.",
    "local": "Names below it are only known in one's own network.",
    "invalid": "It is kept free for examples.",
    "onion": "Names below it are only known inside Tor.",
    "arpa": "It belongs to the DNS itself.",
}


def refusal(domain: str) -> tuple[str, str] | None:
    """Why an ASCII domain can't be one's own, and what to do; None: nothing speaks against it."""
    if owner := FREEMAIL.get(domain):
        return (
            f"{domain} belongs to {owner}: mail to it can't be received here.",
            "You need a domain of your own; any registrar sells one, for the price of a meal a year.",
        )
    top = domain.rpartition(".")[2]
    if top in RESERVED:
        return f"Nobody can own a domain that ends in “{top}”. {RESERVED[top]}", _OWN
    if "." not in domain:
        return (
            f"“{domain}” is only the ending of a domain.",
            "Enter the whole name, such as example.org.",
        )
    if domain in SUFFIXES:
        return (
            f"Domains of many people end in “{domain}”, so it is nobody's own.",
            f"Enter the whole name, such as example.{domain}.",
        )
    return None


_OWN = "Enter a domain that you have registered, such as example.org."
