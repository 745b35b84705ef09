"""The browser draws every kind of field that a specification can have, and gives back what it was given."""

import json
from pathlib import Path

import pytest

from tests.support.browser import Visitor, barriers, overflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "contract" / "example_form.json").read_text(encoding="utf-8")
)

DRAW = """async ({ spec, values, faults }) => {
    const { html, render, useState } = await import("./lib/view.mjs");
    const { Fields } = await import("./lib/controls.mjs");
    const { withValue } = await import("./lib/values.mjs");
    function Harness() {
        const [now, setNow] = useState(values);
        window.values = now;
        const form = { values: now, faults, isNew: false, set: (path, value) => setNow((old) => withValue(old, path, value)) };
        return html`<form class="spec"><section class="card"><div class="fields"><${Fields} fields=${spec.fields} form=${form} /></div></section></form>`;
    }
    document.body.replaceChildren(Object.assign(document.createElement("main"), { className: "page" }));
    render(html`<${Harness} />`, document.querySelector("main"));
    for (const each of document.querySelectorAll("details")) each.open = true;
}"""


async def draw(visitor, faults=(), **options):
    page = await visitor.open("/missing", **options)
    given = {"spec": EXAMPLE["spec"], "values": EXAMPLE["values"], "faults": list(faults)}
    await page.evaluate(DRAW, given)
    return page


async def values(page):
    return await page.evaluate("() => window.values")


async def test_every_field_is_drawn_and_nothing_changes_by_itself(visitor: Visitor) -> None:
    page = await draw(visitor)
    drawn = set(
        await page.evaluate(
            "() => [...document.querySelectorAll('[data-field]')].map((e) => e.dataset.field)"
        )
    )
    wanted = {field["key"] for field in EXAMPLE["spec"]["fields"]}
    assert wanted <= drawn
    assert {"host", "port", "auth", "username", "mechanisms", "address", "to", "why"} <= drawn
    assert await values(page) == EXAMPLE["values"]


async def test_what_is_typed_comes_out_in_its_kind(visitor: Visitor) -> None:
    page = await draw(visitor)
    await page.get_by_label("Attempts", exact=True).fill("7")
    await page.get_by_label("Share").fill("0.25")
    await page.get_by_label("Switched on", exact=True).first.uncheck()
    await page.get_by_label("Made here").check()
    await page.get_by_label("Two", exact=True).check()
    tokens = page.get_by_label("Add a domain")
    await tokens.fill("example.net")
    await tokens.press("Enter")
    await page.get_by_role("button", name="Remove example.org").click()
    await page.get_by_label("Unit of Space").select_option(label="GiB")
    await page.get_by_label("Space", exact=True).fill("2")
    now = await values(page)
    assert (now["attempts"], now["share"], now["enabled"], now["mode"]) == (
        7,
        0.25,
        False,
        "self_signed",
    )
    assert now["levels"] == [1, 3, 2]
    assert now["domains"] == ["example.net"]
    assert now["space"] == 2 * 1024**3
    assert await page.get_by_label("Certificate file").count() == 0  # hidden, and kept
    assert now["certificate"] == "/etc/ssl/mail.pem"


async def test_a_variant_that_is_left_and_come_back_to_keeps_what_was_typed(
    visitor: Visitor,
) -> None:
    page = await draw(visitor)
    await page.get_by_label("Directly").check()
    assert (await values(page))["via"] == {"kind": "direct"}
    await page.get_by_label("Relay with sign-in").check()
    assert (await values(page))["via"] == EXAMPLE["values"]["via"]
    await page.locator("fieldset[data-field=auth] > label input").uncheck()
    assert (await values(page))["via"]["auth"] is None


async def test_a_stored_secret_stays_is_changed_or_forgotten(visitor: Visitor) -> None:
    page = await draw(visitor)
    box = page.locator("[data-field=password] input").first
    await box.fill("new secret")
    assert (await values(page))["password"] == "new secret"
    await box.fill("")
    assert (await values(page))["password"] == {"set": True}
    await page.get_by_role("button", name="Forget it").first.click()
    assert (await values(page))["password"] is None


async def test_entries_of_lists_and_maps_are_added_moved_and_removed(visitor: Visitor) -> None:
    page = await draw(visitor)
    await page.get_by_role("button", name="Add a rule").click()
    await page.get_by_label("To", exact=True).last.fill("example.com")
    await page.get_by_role("button", name="Move 2. to example.com through  up").click()
    assert [row["to"] for row in (await values(page))["rows"]] == ["example.com", "example.net"]
    await page.get_by_role("button", name="Remove 2. to example.net through relay").click()
    assert [row["to"] for row in (await values(page))["rows"]] == ["example.com"]
    await page.get_by_label("Name", exact=True).last.fill("office")
    await page.get_by_role("button", name="Add a place").click()
    assert list((await values(page))["places"]) == ["home", "office"]


async def test_a_fault_stands_at_its_field_however_deep(visitor: Visitor) -> None:
    faults = [
        {"path": "/via/auth/username", "code": "x", "message": "Enter the user name."},
        {"path": "/rows/0/to", "code": "x", "message": "That is no domain."},
        {"path": "/domains/0", "code": "x", "message": "No such domain."},
    ]
    page = await draw(visitor, faults)
    for fault, label in zip(faults[:2], ("User name", "To"), strict=True):
        box = page.get_by_label(label, exact=True).first
        assert await box.get_attribute("aria-invalid") == "true"
        described = (await box.get_attribute("aria-describedby") or "").split()
        texts = [await page.locator(f"[id='{each}']").inner_text() for each in described]
        assert any(fault["message"] in text for text in texts)
    assert await page.get_by_text("No such domain.").count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
async def test_the_form_reads_well_for_everybody(visitor: Visitor, theme: str, width: int) -> None:
    page = await draw(visitor, theme=theme, width=width)
    assert await barriers(page) == []
    assert await overflow(page) == 0
