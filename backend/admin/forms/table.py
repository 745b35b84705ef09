"""Every form there is. A new one is an entry in `mail.py`, `delivery.py` or `system.py`, and here."""

from functools import cache

from backend.admin.forms import delivery, mail, system
from backend.admin.forms.form import Form

FORMS: tuple[Form, ...] = (
    mail.DOMAIN,
    mail.DOMAIN_POLICIES,
    mail.DOMAIN_ROUTES,
    mail.DKIM,
    mail.ALIAS,
    mail.ACCOUNT,
    mail.ACCOUNT_ADDRESSES,
    mail.ACCOUNT_LIMITS,
    mail.ACCOUNT_ROUTES,
    mail.POSTMASTER,
    delivery.ROUTES,
    delivery.TRANSPORT,
    delivery.HOLD_RULE,
    delivery.SUPPRESSION,
    system.IDENTITY,
    system.LISTENERS,
    system.TLS,
    system.LIMITS,
    system.OUTBOUND,
    system.ADMIN,
    system.LOG,
)


@cache
def by_id() -> dict[str, Form]:
    return {form.id: form for form in FORMS}
