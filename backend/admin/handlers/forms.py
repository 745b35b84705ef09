"""Pages, specifications of forms, their values, and the search in all of them."""

from aiohttp import web

from backend.admin.call import Call, Handler
from backend.admin.forms import service
from backend.admin.forms.table import by_id
from backend.admin.language import choose, translated, words_of
from backend.admin.specs import library
from backend.api import forms as f
from backend.api import pages as p
from backend.core.errors import NotFoundError
from backend.core.problems import Problem

ONLY_ONE = "-"
"""The key of a form that there is once."""


def language_of(call: Call) -> str:
    return choose(call.request.headers.get("Accept-Language", ""))


async def form_specs(call: Call) -> f.Specs:
    return library.heads(language_of(call))


async def form_spec(call: Call) -> web.Response:
    name, language = call.path("form"), language_of(call)
    found = library.spec_json(name, language)
    if found is None:
        raise _unknown(name)
    body, version = found
    headers = {
        "ETag": f'"{version}"',
        "Vary": "Accept-Language",
        "Content-Language": language,
        "Cache-Control": "private, no-cache",
    }
    known = [
        each.strip().removeprefix("W/")
        for each in call.request.headers.get("If-None-Match", "").split(",")
    ]
    if f'"{version}"' in known:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(
        Problem(
            code="form.unknown",
            message=f"There is no form “{name[:100]}”.",
            fix="GET /api/v1/ui/specs lists them.",
        )
    )


def _request(call: Call) -> service.Request:
    name, key = call.path("form"), call.path("key")
    form = by_id().get(name)
    if form is None:
        raise _unknown(name)
    if not form.spec.key and key != ONLY_ONE:
        raise _unknown(f"{name}/{key}")
    key = form.normal_key(key) if form.spec.key else ""
    return service.Request(form, key, call.services, words_of(language_of(call)))


async def form(call: Call) -> f.FormValues:
    return await service.load(_request(call))


async def save_form(call: Call) -> f.Saved:
    return await service.save(
        _request(call),
        call.body(f.SaveForm).values,
        base_revision=call.revision,
        dry_run=call.query(f.SaveQuery).dry_run,
        author=call.author,
    )


async def pages(call: Call) -> p.Pages:
    words = words_of(language_of(call))
    areas = {name: words(title) for name, title in p.AREAS}
    listed = p.Pages(items=list(p.PAGES), areas=areas, language=words.language)
    return translated(listed, words)


async def search_forms(call: Call) -> f.Found:
    query = call.query(f.SearchQuery)
    return f.Found(items=library.search(query.q, language_of(call), query.limit))


HANDLERS: dict[str, Handler] = {
    "pages": pages,
    "form_specs": form_specs,
    "form_spec": form_spec,
    "form": form,
    "save_form": save_form,
    "search_forms": search_forms,
}
