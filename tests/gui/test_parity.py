"""Every field of every form is drawn by the window, and every value comes back as it was given."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from backend.admin.forms.table import FORMS
from tests.support.office import office
from tests.support.parity import CHANGES, ONLY_MADE, Case, cases, changed, existing, furnish
from ui.pages.form_editor import FormEditor
from ui.widgets.spec_control import FormState
from ui.widgets.spec_form import SpecForm


@pytest.mark.parametrize("case", [pytest.param(case, id=case.form) for case in cases()])
def test_every_field_is_drawn_and_nothing_changes_by_itself(qtbot, case: Case) -> None:
    state = FormState(case.values, list_choices=lambda _source, _then: None, go=lambda _path: None)
    form = SpecForm(case.spec, state)
    qtbot.addWidget(form)
    form.show()
    QApplication.processEvents()
    drawn = {control.pointer for control in state.controls()}
    assert case.pointers <= drawn, sorted(case.pointers - drawn)
    assert state.values == case.values


def test_every_form_comes_back_as_it_was(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            keys = await furnish(place.client, "example.org")
            before = await existing(place.client, keys)
            assert {form.id for form in FORMS} == set(before) | set(ONLY_MADE)
            for form, found in before.items():
                editor = FormEditor(place.window.desk, form, keys[form])
                editor.setParent(place.window)
                await editor.load()
                assert editor.state is not None, form
                await asyncio.sleep(0)
                drawn = {k: v for k, v in editor.state.values.items() if k in found.values}
                assert drawn == found.values, form
                assert not editor.is_dirty, form
                saved = await place.client.save_form(
                    form, keys[form], editor.state.values, revision=await revision(place)
                )
                assert saved is not None
                editor.deleteLater()
            after = await existing(place.client, keys)
            for form, found in before.items():
                assert after[form].values == found.values, form

    run_async(scenario())


async def revision(place) -> int:
    return (await place.client.status()).config_revision


def test_one_value_of_each_kind_is_changed_and_kept(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            keys = await furnish(place.client, "example.org")
            for form, field, value in CHANGES:
                before = (await place.client.form(form, keys[form])).values
                editor = FormEditor(place.window.desk, form, keys[form])
                editor.setParent(place.window)
                await editor.load()
                editor.state.set((field,), value)
                assert editor.is_dirty, form
                editor.save()
                await place.until(lambda one=editor: not one.is_dirty)
                after = (await place.client.form(form, keys[form])).values
                assert after == changed(before, field, value), form
                editor.deleteLater()

    run_async(scenario())
