"""Who has mail here."""

from ui.pages.spec_list import SpecListPage


class AccountsPage(SpecListPage):
    TITLE = "Accounts"
    SUBTITLE = (
        "The people who have mail here. Each has a mailbox, a password and one or more addresses."
    )
    LIST = "account"
    WIZARDS = ("account", "remove-account")
