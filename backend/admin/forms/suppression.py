"""The form with which an address is put on the suppression list; what is on it already is a list, and changes by adding anew."""

from typing import cast

from backend.admin.forms.form import RowForm, Values, first_values_of
from backend.admin.services import Services
from backend.admin.specs.check import KEY_PATH, Fault
from backend.admin.specs.compile import SOURCES
from backend.api import forms as f
from backend.core.address import AddressError, parse_address
from backend.core.errors import NotFoundError
from backend.outbound import suppressions
from backend.outbound.history import DAY_S

MAX_ADDRESS_CHARS = 320
MAX_DAYS = 36_500

NO_ADDRESS = "This is not an address such as bo@example.net."
NO_ACCOUNT = "There is no such account."


class SuppressionForm(RowForm):
    id = "suppression"

    def __init__(self, words: f.Spec) -> None:
        self._words = words

    def make_spec(self) -> f.Spec:
        everybody = f.Choice(value="", label="All accounts")
        fields = [
            f.Field(
                key="account",
                kind="ref",
                label="For",
                help="Whose mail to the address is refused.",
                default="",
                choices_from=SOURCES["accounts"].model_copy(update={"first": [everybody]}),
                keywords="account sender",
            ),
            f.Field(
                key="reason",
                kind="text",
                label="Reason",
                help="Shown to who writes to the address nevertheless.",
                default="",
                max_length=suppressions.MAX_REASON_CHARS,
                placeholder="asked not to be written to",
            ),
            f.Field(
                key="days",
                kind="duration",
                label="For how long",
                help="Then mail to the address is sent again.",
                duration_unit="d",
                min=0,
                max=MAX_DAYS,
                default=0,
                zero="for ever",
                keywords="until expiry",
            ),
        ]
        address = f.Field(
            key="address",
            kind="text",
            label="Address",
            help="To which nothing is sent any more.",
            required=True,
            autofocus=True,
            placeholder="bo@example.net",
            max_length=MAX_ADDRESS_CHARS,
            ask="Enter the address",
        )
        update = {"id": self.id, "key": "name", "creates": True, "fields": fields}
        return self._words.model_copy(update={**update, "key_field": address})

    def first_values(self) -> Values:
        return first_values_of(self.spec.fields)

    def check_key(self, key: str) -> list[Fault]:
        try:
            parse_address(key)
        except AddressError:
            return [Fault("suppression.address", KEY_PATH, NO_ADDRESS)]
        return []

    async def save_row(self, services: Services, key: str, values: Values) -> list[Fault]:
        queue, account = services.outbound.queue, str(values["account"])
        try:
            owner = services.accounts.find_account(account) if account else ""
        except NotFoundError:
            return [Fault("suppression.account", ("account",), NO_ACCOUNT)]
        days, now = int(cast(int, values["days"])), queue.now()
        address, reason = str(parse_address(key)), str(values["reason"])
        await queue.database.write(
            lambda tx: suppressions.suppress(
                tx,
                owner,
                address,
                reason=reason,
                automatic=False,
                now=now,
                ends_at=now + days * DAY_S if days else None,
            )
        )
        return []
