import pytest

from ui.presenters.addresses import check_server_address, complete_server_address


def test_a_bare_name_means_https() -> None:
    assert complete_server_address(" mail.example.org:8443/ ") == "https://mail.example.org:8443"
    assert complete_server_address("http://localhost:8080") == "http://localhost:8080"
    assert complete_server_address("") == ""


@pytest.mark.parametrize(
    "url",
    ["https://mail.example.org", "http://127.0.0.1:2080", "http://[::1]:80", "http://localhost"],
)
def test_safe_addresses_pass(url: str) -> None:
    assert check_server_address(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x",
        "http://mail.example.org",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
    ],
)
def test_addresses_that_would_show_the_password_do_not(url: str) -> None:
    assert check_server_address(url)
