"""Programs in a few words."""

import pytest

from backend.admin.agents import MAX_CHARS, program_of

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (LINUX, "Chrome on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on an iPhone",
        ),
        ("laptop.local", "laptop.local"),
        ("curl/8.1", "curl/8.1"),
        ("", ""),
    ],
)
def test_a_program_is_told_in_words(said, words):
    assert program_of(said) == words


def test_what_is_said_at_length_is_cut():
    assert len(program_of("x" * 500)) == MAX_CHARS
