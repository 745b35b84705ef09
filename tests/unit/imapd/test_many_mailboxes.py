"""An account with hundreds of mailboxes: their list is made off the loop, and is the same."""

import asyncio
import imaplib

from backend.core.ids import AccountId
from backend.imapd.commands.listing import AT_ONCE
from tests.support.imap_server import PASSWORD, running_imap

MANY = AT_ONCE + 50


def converse(port, context):
    context.check_hostname = False  # imaplib takes the address for the name
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=context, timeout=20) as imap:
        imap.login_cram_md5("anna@gatepost.test", PASSWORD)
        listed = imap.list("Old/", "*")[1]
        subscribed = imap.lsub("Old/", "*")[1]
        kind, _ = imap._simple_command(
            "LIST", '""', "Old/%", "RETURN", "(SUBSCRIBED STATUS (MESSAGES))"
        )
        assert kind == "OK"
        counted = imap.untagged_responses["STATUS"]
        return listed, subscribed, counted


async def test_all_are_listed_in_their_order(tmp_path):
    async with running_imap(tmp_path, practice_mode=False) as server:
        account = await server.store.account(AccountId("anna"))
        for number in range(MANY):
            await account.create_mailbox(f"Old/{number:04}")
            await account.set_subscribed(f"Old/{number:04}", True)
        listed, subscribed, counted = await asyncio.to_thread(
            converse, server.tls_port, server.client_tls()
        )
        assert len(listed) == len(counted) == len(subscribed) == MANY
        assert listed[0].endswith(b'"Old/0000"')
        assert listed == sorted(listed)
