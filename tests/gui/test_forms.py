"""The window draws every kind of field that a specification can have, and gives back what it was given."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from backend.api.forms import Choice, Spec
from backend.api.types import AddAccount, ChangeAccount
from tests.support.office import fill, office
from tests.support.window import press as push
from ui.pages.form_editor import FormEditor
from ui.widgets.spec_control import FormState
from ui.widgets.spec_form import SpecForm

EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "contract" / "example_form.json").read_text(encoding="utf-8")
)
SPEC = Spec.model_validate(EXAMPLE["spec"])


@pytest.fixture
def form(run_async, qtbot):
    """Drawn as it is in a page; `list_choices` answers at once."""

    def answer(source, arrived):
        arrived([Choice(value="relay", label="relay")] if source.path == "/transports" else [])

    state = FormState(deepcopy(EXAMPLE["values"]), list_choices=answer, go=lambda _path: None)
    form = SpecForm(SPEC, state)
    qtbot.addWidget(form)
    form.resize(700, 3000)
    form.show()
    for fold in [w for w in form.findChildren(QWidget) if hasattr(w, "unfold")]:
        fold.unfold()
    return form


def find(form, kind, name, last=False):
    QApplication.processEvents()  # what was just built shows itself in the next turn
    found = [w for w in form.findChildren(kind) if w.accessibleName() == name and w.isVisible()]
    assert found, f"no visible {kind.__name__} {name!r}"
    return found[-1 if last else 0]


def press(form, name):
    find(form, QAbstractButton, name).click()


def write(line, text):
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def test_every_field_is_drawn_and_nothing_changes_by_itself(form):
    places = {control.pointer for control in form.state.controls()}
    assert {f"/{field.key}" for field in SPEC.fields} <= places
    assert {"/via/auth/username", "/rows/0/why", "/places/home/address"} <= places
    assert form.state.values == EXAMPLE["values"]


def test_every_control_has_a_name(form):
    for widget in form.findChildren(QWidget):
        if widget.isVisible() and isinstance(widget, QLineEdit | QComboBox | QAbstractButton):
            if widget.objectName().startswith("qt_"):
                continue
            assert widget.accessibleName() or getattr(widget, "text", str)(), widget


def test_what_is_typed_comes_out_in_its_kind(form):
    write(find(form, QLineEdit, "Attempts"), "7")
    write(find(form, QLineEdit, "Share"), "0.25")
    find(form, QCheckBox, "Switched on").click()
    next(b for b in form.findChildren(QRadioButton) if b.text() == "Made here").click()
    next(b for b in form.findChildren(QCheckBox) if b.text() == "Two").click()
    line = find(form, QLineEdit, "Domains")
    write(line, "example.net")
    QTest.keyClick(line, Qt.Key.Key_Return)
    press(form, "Remove example.org")
    unit = find(form, QComboBox, "Unit of Space")
    unit.setCurrentIndex(unit.findText("GiB"))
    write(find(form, QLineEdit, "Space"), "2")
    now = form.state.values
    assert (now["attempts"], now["share"], now["enabled"], now["mode"]) == (
        7,
        0.25,
        False,
        "self_signed",
    )
    assert now["levels"] == [1, 3, 2]
    assert now["domains"] == ["example.net"]
    assert now["space"] == 2 * 1024**3
    hidden = next(c for c in form.state.controls() if c.pointer == "/certificate")
    assert not hidden.isVisible()
    assert now["certificate"] == "/etc/ssl/mail.pem"


def test_a_variant_that_is_left_and_come_back_to_keeps_what_was_typed(form):
    radios = {b.text(): b for b in form.findChildren(QRadioButton)}
    radios["Directly"].click()
    assert form.state.values["via"] == {"kind": "direct"}
    radios["Relay with sign-in"].click()
    assert form.state.values["via"] == EXAMPLE["values"]["via"]
    find(form, QCheckBox, "Sign in").click()
    assert form.state.values["via"]["auth"] is None
    find(form, QCheckBox, "Sign in").click()
    assert form.state.values["via"] == EXAMPLE["values"]["via"]


def test_a_stored_secret_stays_is_changed_or_forgotten(form):
    secret = next(c for c in form.state.controls() if c.pointer == "/password")
    line = secret.entry()
    write(line, "new secret")
    assert form.state.values["password"] == "new secret"
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert form.state.values["password"] == {"set": True}
    press(secret, "Forget password")
    assert form.state.values["password"] is None


def test_entries_of_lists_and_maps_are_added_moved_and_removed(form):
    press(form, "Add a rule")
    write(find(form, QLineEdit, "To", last=True), "example.com")
    form.state.set(("rows", 1, "through"), "relay")
    press(form, "Move 2. to  through  up")
    assert [row["to"] for row in form.state.values["rows"]] == ["example.com", "example.net"]
    press(form, "Remove 2. to example.net through relay")
    assert [row["to"] for row in form.state.values["rows"]] == ["example.com"]
    write(find(form, QLineEdit, "Name of a new entry of Places"), "office")
    press(form, "Add a place")
    assert list(form.state.values["places"]) == ["home", "office"]


def test_a_fault_stands_at_its_field_however_deep(form):
    rest = form.state.show_faults(
        {
            "/via/auth/username": "Enter the user name.",
            "/rows/0/to": "That is no domain.",
            "/domains/0": "No such domain.",
            "/nowhere": "Something else.",
        }
    )
    assert rest == "Something else."
    line = find(form, QLineEdit, "User name")
    assert line.property("invalid") == "true"
    assert line.accessibleDescription() == "Enter the user name."
    assert line.hasFocus() or form.window().focusWidget() is line
    write(line, "somebody")
    assert line.property("invalid") == "false"


def test_a_name_is_proposed_until_somebody_types_one(run_async, qtbot):
    values = {**deepcopy(EXAMPLE["values"]), "name": ""}
    values["via"] = {**values["via"], "host": ""}
    state = FormState(values, is_new=True)
    form = SpecForm(SPEC, state)
    qtbot.addWidget(form)
    form.show()
    write(find(form, QLineEdit, "Server"), "smtp.provider.example")
    assert find(form, QLineEdit, "Name").text() == "provider"
    assert state.values["name"] == "provider"
    write(find(form, QLineEdit, "Name"), "mine")
    write(find(form, QLineEdit, "Server"), "smtp.other.example")
    assert state.values["name"] == "mine"


# ---- saving, against the real API


@pytest.fixture
def in_office(run_async, qtbot, tmp_path):
    """`in_office(scenario)`: a coroutine function that gets the office and an editor of the domain's form."""

    def run(scenario, form="account", **options):
        async def whole():
            async with office(tmp_path, **options) as place:
                await place.client.add_account(AddAccount(address="anna@example.org"))
                editor = FormEditor(place.window.desk, form, "anna")
                qtbot.addWidget(editor)
                editor.resize(700, 900)
                editor.show()
                await editor.load()
                await place.turn()
                await scenario(place, editor)
                FormEditor._drafts.clear()

        run_async(whole())

    return run


def test_a_form_is_saved_and_says_what_that_does(in_office):
    async def scenario(place, editor):
        assert not editor.is_dirty
        fill(editor, "Full name", "Anna Meier")
        assert editor.is_dirty
        push(editor, "Save")
        await place.until(lambda: not editor.is_dirty)
        assert (await place.client.account("anna")).full_name == "Anna Meier"

    in_office(scenario)


def test_all_faults_come_at_once_at_their_fields(in_office):
    async def scenario(place, editor):
        editor.state.set(("max_outgoing_messages_per_day",), -1)
        editor.state.set(("max_first_time_recipients_per_day",), "many")
        push(editor, "Save")
        await place.until(editor.problem.isVisible)
        assert "2 things need another look" in editor.problem.title()
        faulty = [c for c in editor.state.controls() if editor.state.faults.get(c.pointer)]
        assert len(faulty) == 2
        assert all(c.entry().isVisible() for c in faulty)  # unfolded

    in_office(scenario, "account-limits")


def test_what_somebody_else_changed_meanwhile_is_merged(in_office):
    async def scenario(place, editor):
        fill(editor, "Full name", "Anna Meier")
        await place.client.change_account("anna", ChangeAccount(disabled=True))
        push(editor, "Save")
        await place.until(lambda: not editor.is_dirty)
        now = await place.client.account("anna")
        assert (now.full_name, now.disabled) == ("Anna Meier", True)

    in_office(scenario)


def test_a_clash_asks_which_one_holds(in_office):
    async def scenario(place, editor):
        fill(editor, "Full name", "Anna Meier")
        await place.client.change_account("anna", ChangeAccount(full_name="Anna Schmidt"))
        push(editor, "Save")
        dialog = await place.dialog()
        next(b for b in dialog.findChildren(QRadioButton) if "Schmidt" in b.text()).click()
        push(dialog, "Save this")
        await place.until(lambda: not editor.is_dirty)
        assert (await place.client.account("anna")).full_name == "Anna Schmidt"

    in_office(scenario)


def test_what_was_typed_outlives_the_page(in_office):
    async def scenario(place, editor):
        fill(editor, "Full name", "Anna Meier")
        again = FormEditor(place.window.desk, "account", "anna")
        await again.load()
        assert again.state.values["full_name"] == "Anna Meier"
        assert "not saved yet" in again.note.title()
        again.discard()
        assert not again.is_dirty
        again.deleteLater()

    in_office(scenario)
