"""What can be asked of a stored message? The contract between the protocol core that plans and the store that reads."""

from enum import StrEnum


class Field(StrEnum):
    r"""What the store can give of a message, and a FETCH may want.

    FLAGS is the list as IMAP writes it, without brackets (`\Seen $Junk`, bytes). RECEIVED_AT and SAVED_AT are seconds
    since 1970. ENVELOPE, BODY, BODYSTRUCTURE are complete IMAP values in bytes. HEADER is the header block with its
    empty line, CONTENT the whole message. EMAIL_ID is the object id of RFC 8474; MESSAGE_ID the header's value, as it was digested.
    """

    UID = "uid"
    FLAGS = "flags"
    MODSEQ = "modseq"
    SIZE = "size"
    RECEIVED_AT = "received_at"
    SAVED_AT = "saved_at"
    ENVELOPE = "envelope"
    BODY = "body"
    BODYSTRUCTURE = "bodystructure"
    HEADER = "header"
    CONTENT = "content"
    PREVIEW = "preview"
    EMAIL_ID = "email_id"
    MESSAGE_ID = "message_id"
