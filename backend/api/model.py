"""What all that goes over the admin API is: a request or a reply."""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """From a client."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(BaseModel):
    """From the server."""

    model_config = ConfigDict(frozen=True, extra="ignore")
