"""Debian's Postfix and Dovecot on loopback, durable, throttles off: what Gatepost is compared with.

Needs root (Dovecot and Postfix change users) and the packages postfix, dovecot-imapd and dovecot-lmtpd.
"""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SMTP_PORT, IMAP_PORT = 22525, 22143
USER, PASSWORD = "me@gatepost.test", "bench-password"

_DOVECOT = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 2000
mail_fsync = always
mail_location = sdbox:{dir}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={dir}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
  process_limit = 1024
}}
service imap {{
  process_limit = 2048
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
default_client_limit = 4096
"""

_MAIN_CF = """
compatibility_level = 3.6
config_directory = {dir}/postfix/conf
queue_directory = {dir}/postfix/queue
data_directory = {dir}/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/postfix/maillog
maillog_file_prefixes = /
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.bench.example
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
smtpd_peername_lookup = no
virtual_mailbox_domains = gatepost.test
virtual_mailbox_maps = inline:{{ me@gatepost.test=x }}
virtual_transport = lmtp:unix:{dir}/run/lmtp
relay_transport = error:no outbound
default_transport = error:no outbound
in_flow_delay = 0
message_size_limit = 50000000
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
"""

_MASTER_CF = """
127.0.0.1:{smtp_port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Peers:
    """Both servers, from `start()` to `stop()`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._dovecot: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for program in ("dovecot", "postfix"):
            if shutil.which(program) is None:
                raise SystemExit("first: apt-get install postfix dovecot-imapd dovecot-lmtpd")
        folder = self.folder
        for name in (
            "run",
            "state",
            "home",
            "mail",
            "postfix/conf",
            "postfix/queue",
            "postfix/data",
        ):
            (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.chown(folder / "home", "mail", "mail")
        shutil.chown(folder / "mail", "mail", "mail")
        shutil.chown(folder / "postfix/data", "postfix")
        folder.chmod(0o755)
        values = {
            "dir": folder,
            "imap_port": IMAP_PORT,
            "smtp_port": SMTP_PORT,
            "password": PASSWORD,
        }
        (folder / "dovecot.conf").write_text(_DOVECOT.format(**values))
        (folder / "postfix/conf/main.cf").write_text(_MAIN_CF.format(**values))
        (folder / "postfix/conf/master.cf").write_text(_MASTER_CF.format(**values))
        self._dovecot = subprocess.Popen(
            ["dovecot", "-F", "-c", str(folder / "dovecot.conf")], start_new_session=True
        )
        subprocess.run(
            ["postfix", "-c", str(folder / "postfix/conf"), "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in (IMAP_PORT, SMTP_PORT):
            wait_for_port(port)

    def stop(self) -> None:
        subprocess.run(
            ["postfix", "-c", str(self.folder / "postfix/conf"), "stop"],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if self._dovecot is not None:
            self._dovecot.send_signal(signal.SIGTERM)
            self._dovecot.wait(10)


def wait_for_port(port: int, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.settimeout(5)
                if connection.recv(10):
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
