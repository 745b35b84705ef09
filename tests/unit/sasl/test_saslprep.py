import pytest

from backend.sasl.saslprep import PrepError, prepared, saslprep


@pytest.mark.parametrize(
    ("text", "result"),
    [  # RFC 4013 §3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_the_examples_of_rfc_4013(text, result):
    assert saslprep(text) == result


@pytest.mark.parametrize(
    "text", ["\u0007", "a\u0007", "\u0627\u0031", "a\u0627b", "\ue000", "é\x7f"]
)
def test_prohibited_texts(text):
    with pytest.raises(PrepError):
        saslprep(text)


def test_right_to_left_text_is_allowed():
    assert saslprep("\u0627\u0031\u0628") == "\u0627\u0031\u0628"


def test_stored_texts_hold_no_unassigned_characters():
    assert saslprep("\U0001f600") == "\U0001f600"
    with pytest.raises(PrepError):
        saslprep("\U0001f600", stored=True)


def test_what_cant_be_prepared_is_taken_as_it_is():
    assert prepared("a\u0007") == b"a\x07"
    assert prepared("\u2168") == b"IX"
