from backend.api import connect as c
from ui.presenters import connect


def settings(**values: object) -> c.ClientSettings:
    server = {"host": "mail.example.org", "user_name": "anna@example.org"}
    return c.ClientSettings.model_validate(
        {
            "account": "anna",
            "full_name": "Anna",
            "address": "anna@example.org",
            "incoming": [
                {**server, "protocol": "imap", "port": 143, "security": "starttls"},
                {**server, "protocol": "imap", "port": 993, "security": "tls", "recommended": True},
            ],
            "outgoing": [
                {**server, "protocol": "smtp", "port": 465, "security": "tls", "recommended": True}
            ],
            "practice_mode": False,
            **values,
        }
    )


def test_the_recommended_server_comes_first() -> None:
    best, others = connect.preferred(settings().incoming)
    assert best is not None
    assert best.port == 993
    assert [server.port for server in others] == [143]
    assert connect.preferred([]) == (None, [])


def test_a_server_has_five_values_to_copy() -> None:
    shown = connect.server_rows(settings().outgoing[0])
    assert dict(shown.rows) == {
        "Server": "mail.example.org",
        "Port": "465",
        "Security": "SSL/TLS",
        "User name": "anna@example.org",
        "Authentication": "Normal password",
    }


def test_what_is_copied_holds_no_password() -> None:
    assert "password" not in connect.as_text(settings()).replace("Normal password", "").lower()
