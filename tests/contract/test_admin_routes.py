"""Every route of the admin API: refuses strangers, refuses changes without a token, stands in the document, has a client method."""

import re

import aiohttp
import pytest

from backend.api.client import Client
from backend.api.endpoint import CSRF_HEADER
from backend.api.route import Needs, Route
from backend.api.routes import BY_NAME, EVENT_STREAM, ROUTES
from tests.support.admin_server import admin_server

STREAM_METHODS = {"events": "open_events", "log_stream": "open_log"}


def filled(route: Route) -> str:
    return re.sub(r"{\w+}", "1", route.path)


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def browser():
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield session


async def test_every_route_refuses_who_is_not_signed_in(rig, browser):
    for prefix in ("", "/admin"):
        for route in ROUTES:
            async with browser.request(
                route.method, rig.url + prefix + filled(route), json={}
            ) as reply:
                if route.needs is Needs.PUBLIC:
                    assert reply.status != 401, route
                else:
                    assert reply.status == 401, route
                    assert reply.content_type == "application/problem+json"
                    assert (await reply.json())["code"] == "access.sign_in"


def test_only_greeting_and_signing_in_are_public():
    assert {r.name for r in ROUTES if r.needs is Needs.PUBLIC} == {"hello", "sign_in"}


async def test_every_change_by_cookie_needs_the_token_of_the_session(rig, browser):
    async with browser.post(rig.url + "/api/v1/session", json={"password": rig.password}) as reply:
        assert reply.status == 200
    for route in ROUTES:
        if route.method == "GET" or route.needs is Needs.PUBLIC:
            continue
        for headers in ({}, {CSRF_HEADER: "guessed"}):
            async with browser.request(
                route.method, rig.url + filled(route), json={}, headers=headers
            ) as reply:
                assert reply.status == 403, route
                assert (await reply.json())["code"] == "access.csrf"
    async with browser.get(rig.url + "/api/v1/domains") as reply:
        assert len((await reply.json())["items"]) == 1  # nothing was done


async def test_every_get_route_answers_the_local_owner(rig):
    missing = {
        "account",
        "account_steps",
        "domain",
        "alias",
        "client_settings",
        "dkim",
        "dns_check",
        "flow",
        "dns_records",
        "form",
        "form_spec",
        "queue_item",
        "history_item",
        "queue_message",
        "send_limits",
        "trace",
        "transport",
        "job",
        "revision_diff",
    }
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    async with aiohttp.ClientSession(connector=connector) as session:
        for route in ROUTES:
            if route.method != "GET":
                continue
            async with session.get("http://localhost" + filled(route)) as reply:
                expected = 404 if route.name in {*missing, "ca_certificate"} else 200
                if route.name == "revision_diff":
                    expected = 200
                assert reply.status == expected, route
                wanted = route.raw or "application/json"
                assert expected == 404 or reply.content_type == wanted, route


async def test_the_document_names_every_route_with_its_types(rig):
    async with rig.local() as client:
        document = await client.openapi()
    assert document["openapi"].startswith("3.1")
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["operationId"] == route.name
        assert (operation["security"] == []) == (route.needs is Needs.PUBLIC)
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", route.path))
        assert ("requestBody" in operation) == (route.request is not None)
    text = str(document)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in document["components"]["schemas"], name


def test_the_client_has_a_method_for_every_route():
    for route in ROUTES:
        assert hasattr(Client, STREAM_METHODS.get(route.name, route.name)), route


def test_routes_are_told_apart_by_name_and_by_method_and_path():
    assert len(BY_NAME) == len(ROUTES)
    assert len({(r.method, r.path) for r in ROUTES}) == len(ROUTES)
    assert {r.name for r in ROUTES if r.raw == EVENT_STREAM} == set(STREAM_METHODS)


async def test_an_unknown_path_and_a_wrong_method_are_told_apart(rig, browser):
    async with browser.get(rig.url + "/api/v1/nothing") as reply:
        assert (reply.status, (await reply.json())["code"]) == (404, "route.unknown")
    async with browser.put(rig.url + "/api/v1/domains") as reply:
        assert (reply.status, (await reply.json())["code"]) == (405, "route.method")
