"""Every field of every form is drawn by the browser, and every value comes back as it was given. The same list as the window's."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from backend.api.client import Client
from tests.support.browser import Visitor
from tests.support.parity import CHANGES, cases, changed, existing, furnish
from tests.support.server_process import Trial
from tests.web.test_forms import DRAW

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM = """async ({ form, key, spec }) => {
    const { html, render } = await import("./lib/view.mjs");
    const { SpecForm } = await import("./lib/form.mjs");
    const { Toasts } = await import("./lib/toast.mjs");
    document.body.replaceChildren(Object.assign(document.createElement("main"), { className: "page" }));
    window.saved = 0;
    const saved = () => (window.saved += 1);
    const name = key === "-" ? "" : key;
    render(html`<${SpecForm} id=${form} name=${name} onSaved=${saved} actions=${false} /><${Toasts} />`, document.querySelector("main"));
}"""


async def test_every_field_is_drawn_and_nothing_changes_by_itself(visitor: Visitor) -> None:
    page = await visitor.open("/missing")
    missing: list[str] = []
    for case in cases():
        spec = json.loads(case.spec.model_dump_json())
        await page.evaluate(DRAW, {"spec": spec, "values": case.values, "faults": []})
        drawn = Counter(
            await page.evaluate(
                "() => [...document.querySelectorAll('[data-field]')].map((e) => e.dataset.field)"
            )
        )
        missing += [f"{case.form}: {key}" for key in (case.keys - drawn)]
        assert await page.evaluate("() => window.values") == case.values, case.form
    assert not missing, missing


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Its settings are changed all over: not the one that the other files share."""
    with Trial(tmp_path_factory.mktemp("parity") / "data") as server:
        yield server


async def test_every_form_comes_back_as_it_was_and_keeps_what_is_changed(
    chromium: Browser, own_server: Trial
) -> None:
    visitor = Visitor(chromium, own_server.ready)
    try:
        await check_all_forms(visitor, own_server)
    finally:
        await visitor.leave()
    assert not visitor.faults, "\n".join(visitor.faults)


async def check_all_forms(visitor: Visitor, server: Trial) -> None:
    async with Client.of_folder(Path(server.folder)) as client:
        domain = visitor.ready.account.partition("@")[2]
        keys = await furnish(client, domain)
        before = await existing(client, keys)
        page = await visitor.open("/missing", fresh=True)
        for form in before:
            await page.evaluate(FORM, {"form": form, "key": keys[form], "spec": None})
            await page.get_by_role("button", name="Save", exact=True).click()
            await page.wait_for_function("() => window.saved === 1")
        after = await existing(client, keys)
        for form, found in before.items():
            assert after[form].values == found.values, form

        for form, field, value in CHANGES:
            if not isinstance(value, str):
                continue  # how other kinds are typed is tested with the example form
            now = (await client.form(form, keys[form])).values
            await page.evaluate(FORM, {"form": form, "key": keys[form], "spec": None})
            control = page.locator(f"[data-field={field}]").locator("input, select").first
            await control.wait_for()
            if await control.evaluate("(e) => e.tagName") == "SELECT":
                specified = next(
                    each for each in (await client.form_spec(form)).fields if each.key == field
                )
                named = [choice.label for choice in specified.choices if choice.value == value]
                option = control.locator("option", has_text=named[0] if named else value).first
                await option.wait_for(state="attached")
                await control.select_option(await option.get_attribute("value"))
            elif await control.get_attribute("type") == "radio":
                await page.locator(f"[data-field={field}] input[value={value}]").check()
            else:
                await control.fill(value)
            await page.get_by_role("button", name="Save", exact=True).click()
            await page.wait_for_function("() => window.saved === 1")
            assert (await client.form(form, keys[form])).values == changed(now, field, value), form
        await expect(page.locator(".banner.error")).to_have_count(0)
