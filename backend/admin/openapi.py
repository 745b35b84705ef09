"""The admin API as an OpenAPI 3.1 document, from `backend.api.routes` and the pydantic models."""

import re
from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from backend.api import types as t
from backend.api.endpoint import CSRF_HEADER, SESSION_COOKIE_PLAIN
from backend.api.route import Needs, Route
from backend.api.routes import EVENT_STREAM, ROUTES

Schema = dict[str, JsonValue]


@cache
def document(version: str) -> Schema:
    refs, components = _schemas()
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    described: Schema = {
        "openapi": "3.1.0",
        "info": {
            "title": "Gatepost administration",
            "version": version,
            "description": "Over the Unix socket of the data folder without signing in; over HTTP after POST /api/v1/session.",
        },
        "paths": dict(paths.items()),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE_PLAIN}
            },
        },
    }
    return described


def _models() -> Iterable[type[BaseModel]]:
    yield t.ErrorReply
    yield t.Empty
    # What `data:` of /api/v1/events holds.
    yield from (
        t.TimelineEvent,
        t.QueueEvent,
        t.ConfigEvent,
        t.ProblemEvent,
        t.SignInEvent,
        t.MailEvent,
        t.JobEvent,
        t.StatusEvent,
        t.ServerEvent,
        t.ResyncEvent,
    )
    for route in ROUTES:
        yield from (model for model in (route.reply, route.request, route.query) if model)


def _schemas() -> tuple[dict[type[BaseModel], Schema], Schema]:
    unique = list(dict.fromkeys(_models()))
    refs, definitions = models_json_schema(
        [(model, "validation") for model in unique], ref_template="#/components/schemas/{model}"
    )
    return {model: refs[model, "validation"] for model in unique}, definitions["$defs"]


def _operation(route: Route, refs: dict[type[BaseModel], Schema]) -> Schema:
    content_type = route.raw or "application/json"
    schema: Schema = {"type": "string"} if route.raw else refs[route.reply]
    if route.raw == EVENT_STREAM and route.reply is not t.Empty:
        schema = refs[route.reply]
    problem: Schema = {
        "description": "Refused",
        "content": {"application/problem+json": {"schema": refs[t.ErrorReply]}},
    }
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": {
            str(route.status): {
                "description": "Done",
                "content": {content_type: {"schema": schema}},
            },
            "default": problem,
        },
        "security": [] if route.needs is Needs.PUBLIC else [{"session": []}],
    }
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[route.request]}},
        }
    return operation


def _path_parameters(route: Route) -> list[JsonValue]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query_parameters(route: Route) -> list[JsonValue]:
    if route.query is None:
        return []
    fields: Schema = route.query.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in fields.items()
    ]


def _headers(route: Route) -> list[JsonValue]:
    names: list[JsonValue] = []
    if route.method != "GET" and route.needs is Needs.SIGNED_IN:
        names.append(
            {
                "name": CSRF_HEADER,
                "in": "header",
                "required": False,
                "description": "Needed with a session cookie; GET /api/v1/session gives it.",
                "schema": {"type": "string"},
            }
        )
    if route.checks_revision:
        names.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The revision that was changed, in quotation marks.",
                "schema": {"type": "string"},
            }
        )
    return names
