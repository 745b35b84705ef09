"""Identifiers, so that mypy tells an account from a mailbox."""

from typing import NewType

AccountId = NewType("AccountId", str)
"""The account's name: letters, digits, `.`, `_`, `-`; also its folder's name. Never taken from a mailbox name."""
MailboxId = NewType("MailboxId", int)
MessageId = NewType("MessageId", int)
"""A message row of one account (not the Message-ID header)."""
Uid = NewType("Uid", int)
ModSeq = NewType("ModSeq", int)
QueueId = NewType("QueueId", int)
Cid = NewType("Cid", str)
"""Connection or call: what ties log lines of one session together."""
TraceId = NewType("TraceId", str)
"""One message on its whole way through this server; stands in its Received line and its timeline."""
