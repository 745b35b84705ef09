"""The scenes that lean on the event loop, once more on uvloop: the server runs on it where it exists."""

import asyncio

import pytest

from tests.unit.imapd import test_connection as scenes

uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist on Windows")


@pytest.mark.parametrize(
    "scene",
    [
        scenes.test_starttls_then_login,
        scenes.test_what_was_slipped_in_behind_starttls_is_not_run,
        scenes.test_a_broken_handshake_leaves_nothing_behind,
        scenes.test_implicit_tls,
        scenes.test_the_server_says_bye_when_it_stops,
        scenes.test_a_slow_reader_holds_up_only_itself,
        scenes.test_a_client_that_vanishes_within_an_upload_leaves_no_file,
        scenes.test_answers_reach_a_client_that_has_closed_its_side,
        scenes.test_a_big_upload_goes_through_a_file_and_comes_out_the_same,
    ],
    ids=lambda scene: scene.__name__.removeprefix("test_"),
)
def test_on_uvloop(scene, tmp_path):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(scene(tmp_path), 30))
