"""The command `gatepost` and all below it."""

import click

from app.cli.accounts import account
from app.cli.aliases import alias
from app.cli.config import config
from app.cli.dkim import dkim
from app.cli.dns import dns
from app.cli.domains import domain
from app.cli.forms import form
from app.cli.health import health
from app.cli.log import log
from app.cli.options import EPILOG, Folder, folder_option
from app.cli.queue import queue
from app.cli.routes import route
from app.cli.sendmail import sendmail
from app.cli.server import admin_password, open_, restart, status, stop
from app.cli.signins import sign_ins
from app.cli.start import serve, trial, window
from app.cli.tls import tls
from app.cli.transports import transport
from app.cli.verify import verify


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@folder_option
@click.option(
    "--practice",
    is_flag=True,
    help="With the window: start a practice server at once, if there is no server yet.",
)
@click.option("--open", "page", default="", metavar="PAGE", help="A page to show, such as /queue.")
@click.version_option(package_name="gatepost")
@click.pass_context
def main(context: click.Context, folder: Folder, page: str, *, practice: bool) -> None:
    """Gatepost: your own mail server, with a window. Without a command, the window opens."""
    context.obj = folder
    if context.invoked_subcommand is None:
        context.exit(window(folder, page, practice=practice))


for command in (
    trial,
    serve,
    status,
    stop,
    restart,
    open_,
    account,
    alias,
    domain,
    dns,
    health,
    queue,
    transport,
    route,
    tls,
    config,
    form,
    log,
    sign_ins,
    verify,
    sendmail,
    admin_password,
):
    main.add_command(command)
domain.add_command(dkim)
