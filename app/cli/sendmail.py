"""`gatepost sendmail`, so that the help lists it; `app/__main__.py` starts it without coming by here."""

from typing import Any

import click


class _Raw(click.Command):
    """Leaves the words alone: sendmail's options are older than the conventions of this command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> Any:
        from app.sendmail.command import main

        ctx.exit(main(ctx.args))


sendmail = _Raw(
    "sendmail",
    add_help_option=False,
    short_help="Send one message, in the place of /usr/sbin/sendmail.",
)
