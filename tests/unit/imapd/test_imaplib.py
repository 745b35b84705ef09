"""The standard library's client against the server, over TLS. It was written by others and takes nothing on trust."""

import asyncio
import imaplib
import time

from tests.support.imap_server import HOST, PASSWORD, running_imap
from tests.support.mail import sample_message


def converse(port, starttls_port, context, raw):
    context.check_hostname = False  # imaplib takes the address for the name
    with imaplib.IMAP4("127.0.0.1", starttls_port, timeout=20) as plain:
        assert plain.starttls(context)[0] == "OK"
        assert plain.login("anna@gatepost.test", PASSWORD)[0] == "OK"
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=context, timeout=20) as imap:
        assert "IMAP4REV1" in imap.capabilities
        assert imap.login_cram_md5("anna@gatepost.test", PASSWORD)[0] == "OK"
        assert imap.create("Folder")[0] == "OK"
        assert (
            imap.append("Folder", "(\\Seen)", imaplib.Time2Internaldate(time.time()), raw)[0]
            == "OK"
        )
        assert imap.select("Folder") == ("OK", [b"1"])
        kind, data = imap.fetch("1", "(UID FLAGS RFC822)")
        assert kind == "OK"
        assert data[0][1] == raw
        assert b"\\Seen" in data[0][0] + data[1]
        assert imap.store("1", "+FLAGS", "\\Flagged")[1][0].endswith(b"(\\Flagged \\Seen))")
        assert imap.search(None, "FLAGGED") == ("OK", [b"1"])
        assert imap.uid("SEARCH", "SUBJECT", '"hello"') == ("OK", [b"1"])
        assert imap.copy("1", "Trash")[0] == "OK"
        assert imap.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
        assert imap.expunge() == ("OK", [b"1"])
        assert imap.status("Trash", "(MESSAGES)") == ("OK", [b'"Trash" (MESSAGES 1)'])
        assert imap.list()[0] == "OK"
        assert imap.lsub()[0] == "OK"
        assert imap.namespace()[0] == "OK"
        assert imap.noop()[0] == "OK"
        assert imap.close()[0] == "OK"


async def test_imaplib(tmp_path):
    async with running_imap(tmp_path, practice_mode=False) as server:
        context = server.client_tls()
        raw = sample_message("hello", 5000)
        await asyncio.to_thread(converse, server.tls_port, server.port, context, raw)
        assert HOST
