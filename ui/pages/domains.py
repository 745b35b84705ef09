"""Which domains this server answers for."""

from ui.pages.spec_list import SpecListPage


class DomainsPage(SpecListPage):
    TITLE = "Domains"
    SUBTITLE = "The names after the @ for which this server takes mail."
    LIST = "domain"
    WIZARDS = ("domain", "remove-domain", "dkim")
