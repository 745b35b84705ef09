from backend.api import types as t
from backend.api.client import ApiError, NotReachableError
from ui.presenters.faults import describe_error, faults_by_field


def refusal(*issues: tuple[str, str, str]) -> ApiError:
    problems = [t.Problem(code="x", message=m, path=p, fix=f) for p, m, f in issues]
    return ApiError(422, t.ErrorReply(title="Refused", code="x", issues=problems))


def test_faults_go_to_their_fields() -> None:
    error = refusal(("/address", "It is taken.", "Choose another."), ("", "And so on.", ""))
    assert faults_by_field(error) == {"address": "It is taken. Choose another.", "": "And so on."}


def test_two_faults_of_a_field_are_both_told() -> None:
    error = refusal(("/a", "One.", ""), ("/a", "Two.", ""))
    assert faults_by_field(error) == {"a": "One.\nTwo."}


def test_an_error_is_never_without_words() -> None:
    assert describe_error(refusal()) == "Refused"
    assert faults_by_field(refusal()) == {"": "Refused"}
    assert describe_error(ValueError()) != ""
    assert describe_error(TimeoutError())
    assert "did not answer" in describe_error(NotReachableError("x"))
