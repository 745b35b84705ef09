import asyncio
import os
import ssl
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from backend.core.clock import FakeClock
from backend.core.errors import ConfigError
from backend.tls.authority import ensure_certificate, local_files
from backend.tls.contexts import TlsContexts, client_context
from tests.support.settings import config_of

CONFIG = config_of(domains={"example.org": {}, "münchen.de": {}})


@pytest.fixture
def clock():
    # Near today, so that OpenSSL's own clock agrees.

    return FakeClock(time.time())


def leaf_of(folder) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


async def opened(folder, clock, config=CONFIG, **arguments) -> TlsContexts:
    contexts = TlsContexts(folder, config, clock=clock, **arguments)
    await contexts.open()
    return contexts


async def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str | None = "mail.example.org"
) -> tuple[x509.Certificate, str]:
    """The certificate that a client is shown over a real connection, and the version of TLS."""

    async def serve(reader, writer):
        writer.write(b"ok")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server)
    try:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname=name or ""
        )
        tls = writer.get_extra_info("ssl_object")
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
        version = tls.version()
        assert await reader.read() == b"ok"
        writer.close()
        return certificate, version
    finally:
        listener.close()


def strict_client(contexts: TlsContexts) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=str(contexts.ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by default
    return client


@pytest.mark.parametrize(
    "name",
    ["mail.example.org", "localhost", "127.0.0.1", "::1", "example.org", "xn--mnchen-3ya.de"],
)
async def test_strict_clients_that_trust_the_own_authority_accept_all_own_names(
    tmp_path, clock, name
):
    contexts = await opened(tmp_path / "tls", clock)
    _, version = await handshake(contexts.server_context(), strict_client(contexts), name)
    assert version == "TLSv1.3"


async def test_other_names_and_clients_without_that_trust_are_refused(tmp_path, clock):
    contexts = await opened(tmp_path / "tls", clock)
    for client, name in (
        (strict_client(contexts), "other.org"),
        (client_context(), "mail.example.org"),
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(contexts.server_context(), client, name)


async def test_tls_1_2_is_spoken_and_nothing_older(tmp_path, clock):
    contexts = await opened(tmp_path / "tls", clock)
    client = strict_client(contexts)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await handshake(contexts.server_context(), client))[1] == "TLSv1.2"
    assert contexts.server_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert client_context().minimum_version == ssl.TLSVersion.TLSv1_2


async def test_keys_are_for_the_owner_alone(tmp_path, clock):
    folder = tmp_path / "tls"
    await opened(folder, clock)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        "ca.pem": 0o644,
        "ca.key": 0o600,
        "server.pem": 0o644,
        "server.key": 0o600,
    }


async def test_a_restart_keeps_authority_and_certificate(tmp_path, clock):
    folder = tmp_path / "tls"
    await opened(folder, clock)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    await opened(folder, clock)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


async def test_a_certificate_is_renewed_before_it_expires_without_a_restart(tmp_path, clock):
    folder = tmp_path / "tls"
    contexts = await opened(folder, clock)
    server, first = contexts.server_context(), leaf_of(folder)
    clock.advance(timedelta(days=300).total_seconds())
    await contexts.refresh()
    assert leaf_of(folder) == first
    clock.advance(timedelta(days=80).total_seconds())
    await contexts.refresh()
    renewed = leaf_of(folder)
    assert renewed != first
    assert contexts.expires == renewed.not_valid_after_utc
    # Shown to clients that name the server and to those that don't.
    blind = client_context(verify=False)
    assert (await handshake(server, blind))[0] == renewed
    assert (await handshake(server, blind, None))[0] == renewed
    # The authority is the same, so mail apps that trust it notice nothing.
    assert renewed.issuer == first.issuer


async def test_a_new_domain_gets_into_the_certificate(tmp_path, clock):
    contexts = await opened(tmp_path / "tls", clock)
    await contexts.update(config_of(domains={"example.org": {}, "new.example": {}}))
    await handshake(contexts.server_context(), strict_client(contexts), "new.example")


async def test_a_half_written_pair_is_made_again(tmp_path, clock):
    folder = tmp_path / "tls"
    await opened(folder, clock)
    (folder / "server.pem").unlink()
    contexts = await opened(folder, clock)
    await handshake(contexts.server_context(), strict_client(contexts))
    (folder / "ca.key").unlink()
    contexts = await opened(folder, clock)
    await handshake(contexts.server_context(), strict_client(contexts))


async def test_a_key_of_another_certificate_is_replaced(tmp_path, clock):
    folder, other = tmp_path / "tls", tmp_path / "other"
    await opened(folder, clock)
    ensure_certificate(other, ["x.org"], clock.now())
    (folder / "server.key").write_bytes((other / "server.key").read_bytes())
    contexts = await opened(folder, clock)
    await handshake(contexts.server_context(), strict_client(contexts))


@pytest.fixture
def files(tmp_path, clock):
    """A certificate that somebody else made, and a configuration that names it."""
    made = ensure_certificate(tmp_path / "given", ["mail.example.org"], clock.now())
    tls = {
        "mode": "files",
        "certificate_file": str(made.certificate),
        "key_file": str(made.key),
    }
    return made, config_of({"tls": tls})


async def test_given_files_are_used_and_read_again_when_they_change(tmp_path, clock, files):
    made, config = files
    raised, cleared = [], []
    contexts = await opened(
        tmp_path / "data" / "tls",
        clock,
        config,
        on_problem=raised.append,
        on_clear=lambda *key: cleared.append(key),
    )
    assert contexts.ca_file is None
    assert not (tmp_path / "data").exists()
    trust = client_context(made.ca)
    first, _ = await handshake(contexts.server_context(), trust)

    made.certificate.unlink()
    renewed = ensure_certificate(tmp_path / "given", ["mail.example.org"], clock.now())
    assert renewed == made
    await contexts.refresh()
    second, _ = await handshake(contexts.server_context(), trust)
    assert second != first
    assert raised == []

    # A broken file keeps what works, and is told.
    made.certificate.write_text("no certificate")
    await contexts.refresh()
    assert (await handshake(contexts.server_context(), trust))[0] == second
    [problem] = raised
    assert problem.code == "tls.files" and str(made.certificate) in problem.message

    clock.advance(timedelta(days=390).total_seconds())
    made.certificate.unlink()
    ensure_certificate(tmp_path / "given", ["mail.example.org"], clock.now())
    await contexts.refresh()
    assert ("tls.files", "mail.example.org") in cleared


async def test_a_certificate_from_files_that_soon_expires_is_told(tmp_path, clock, files):
    raised = []
    contexts = await opened(tmp_path / "tls", clock, files[1], on_problem=raised.append)
    await contexts.refresh()
    assert raised == []
    clock.advance(timedelta(days=390).total_seconds())
    await contexts.refresh()
    [problem] = raised
    assert problem.code == "tls.expires" and "expires in 6 days" in problem.message


@pytest.mark.parametrize("broken", ["certificate_file", "key_file"])
async def test_files_that_cant_be_used_are_a_fault_at_the_start(tmp_path, clock, files, broken):
    made, config = files
    (made.key if broken == "key_file" else made.certificate).unlink()
    with pytest.raises(ConfigError, match="can't be read"):
        await opened(tmp_path / "tls", clock, config)
    other = ensure_certificate(tmp_path / "other", ["x"], clock.now())
    (made.key if broken == "key_file" else made.certificate).write_bytes(
        (other.key if broken == "key_file" else other.certificate).read_bytes()
    )
    with pytest.raises(ConfigError, match="can't be used"):
        await opened(tmp_path / "tls", clock, config)


async def test_a_change_to_unusable_files_keeps_the_old_certificate(tmp_path, clock):
    contexts = await opened(tmp_path / "tls", clock)
    tls = {"mode": "files", "certificate_file": "gone.pem", "key_file": "gone.key"}
    with pytest.raises(ConfigError):
        await contexts.update(config_of({"tls": tls}))
    assert contexts.ca_file == local_files(tmp_path / "tls").ca
    await handshake(contexts.server_context(), strict_client(contexts))


async def test_clients_can_be_told_not_to_verify(tmp_path, clock):
    contexts = await opened(tmp_path / "tls", clock)
    await handshake(contexts.server_context(), client_context(verify=False), "any.example")
    with pytest.raises(OSError, match=r"No such file|not found"):
        client_context(tmp_path / "gone.pem")


async def test_extensions_are_those_that_rfc_5280_asks_for(tmp_path, clock):
    folder = tmp_path / "tls"
    await opened(folder, clock)
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    leaf = leaf_of(folder)
    key_id = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
    for certificate in (ca, leaf):
        extensions = certificate.extensions
        issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert issuer.key_identifier == key_id
        assert extensions.get_extension_for_class(x509.KeyUsage).critical
        assert extensions.get_extension_for_class(x509.BasicConstraints).critical
    leaf.verify_directly_issued_by(ca)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=398)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
