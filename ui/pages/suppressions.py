"""Addresses that nothing is sent to: who put them there, why, until when; and the form that adds one."""

from ui.pages.keyed_form import KeyedFormPage, KeyedListPage


class SuppressionsPage(KeyedListPage):
    TITLE = "Suppression list"
    LIST = "suppression"
    PATH = "/suppressions"


class SuppressionPage(KeyedFormPage):
    TITLE = "Suppressed address"
    FORM = "suppression"
    BACK = "/suppressions"
    LIST_TITLE = "Suppression list"
