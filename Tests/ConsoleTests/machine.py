"""A systemd of its own for the console's tests, with patchd, Cockpit and users: `Tests/BootedTests/machine.sh` makes it."""

import ctypes
import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "Tests/BootedTests/machine.sh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TREE = [("PAIE", None), ("SEED", "PAIE"), ("SEED2", "PAIE"), ("SEEDPROD", "PAIE"), ("SEEDPROD2", "SEEDPROD")]
PASSWORD = "correct horse"
"""Of every user."""


class Machine:
    """Made, booted and, at the end or with this process's death, taken down."""

    def __init__(self):
        self.keeper = subprocess.Popen(
            [SCRIPT, "keep"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": PATH})
        self.place = self.keeper.stdout.readline().strip()
        if not self.place:
            raise RuntimeError("machine.sh keep: could not make a machine; it needs root and systemd-container")
        self.root = Path(self.place) / "root"
        self.leader = 0
        self.container = None

    # What is on it

    def install(self):
        """patchd as scripts/install puts it there, and users: an approver, a member, a guest, and an admin of the host."""
        programs = os.environ.get("PATCHD_BIN") or str(REPOSITORY / ".build/debug")
        subprocess.run([REPOSITORY / "scripts/install", self.root], check=True, env={"PATH": PATH, "PATCHD_BIN": programs})
        names = [f"{programs}/{name}" for name in ("patchd", "patchctl", "patchd-worker")]
        linked = subprocess.run(["ldd", *names], capture_output=True, text=True, check=False).stdout
        libraries = {word for word in linked.split() if word.startswith("/") and "/swift/" in word}
        if libraries:
            subprocess.run(["cp", "-L", *libraries, self.root / "usr/lib/"], check=True)
        self.prepare("systemd-sysusers && systemd-tmpfiles --create patchd.conf && chgrp -R patchd /etc/patchd && systemctl enable patchd.service")
        users = {"anna": "patchd", "ben": "patchd", "guest": "", "boss": "sudo"}
        for user, groups in users.items():
            more = f"-G {groups}" if groups else ""
            self.prepare(f"useradd -m -s /bin/bash {more} {user} && echo '{user}:{PASSWORD}' | chpasswd")
        # The machine has no audit and no keyring to write to.
        self.prepare("sed -i '/pam_loginuid\\|pam_keyinit\\|pam_sepermit/d' /etc/pam.d/cockpit; rm -f /etc/motd.d/cockpit")

    def prepare(self, line):
        """Runs a line of shell on its files while it is off."""
        outcome = subprocess.run([SCRIPT, "prepare", self.place, line], check=False, env={"PATH": PATH}, capture_output=True, text=True)
        if outcome.returncode != 0:
            raise RuntimeError(f"{line}: exit code {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")

    def write(self, path, text, mode=0o644):
        place = self.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def path(self, path):
        """Where one of its files is found from outside."""
        base = Path(f"/proc/{self.leader}/root") if self.leader else self.root
        return base / path.lstrip("/")

    # On and off

    def boot(self):
        address = f"{self.place}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(address)
            os.chmod(address, 0o666)
            with open(f"{self.place}/console", "ab") as console:
                self.container = subprocess.Popen(
                    [SCRIPT, "boot", self.place], stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                    env={"PATH": PATH, "NOTIFY_SOCKET": address, "LANG": "C.UTF-8"})
            end = time.monotonic() + 60
            while True:
                ready, _, _ = select.select([notices], [], [], max(0, end - time.monotonic()))
                if not ready:
                    raise RuntimeError("not booted in 60 s\n" + Path(f"{self.place}/console").read_text())
                lines = notices.recv(4096).decode().splitlines()
                for line in lines:
                    if line.startswith("X_NSPAWN_LEADER_PID="):
                        self.leader = int(line.split("=")[1])
                if "READY=1" in lines:
                    return

    def enter_network(self):
        """From now on this process, and what it starts, is on the machine's network: its loopback."""
        with open(f"/proc/{self.leader}/ns/net") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "entering the machine's network")

    def run(self, line, check=True):
        """Runs a line of shell on it, as root."""
        outcome = subprocess.run(
            ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--", "/bin/sh", "-c", line],
            capture_output=True, text=True, check=False, timeout=120, env={"PATH": PATH, "LANG": "C.UTF-8"})
        if check and outcome.returncode != 0:
            raise RuntimeError(f"{line}: exit code {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
        return outcome

    def close(self):
        if self.leader:
            try:
                os.kill(self.leader, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.container:
            self.container.wait(30)
        self.keeper.stdin.close()
        self.keeper.stdout.close()
        self.keeper.wait(60)


def configure(machine, name="payroll", tree=None, settings=""):
    """An endpoint whose folders belong to the user payroll."""
    lines = [f"endpoint: {name}", f"path: /srv/{name}"]
    lines += [settings] if settings else []
    lines.append("folders:")
    for folder, parent in tree or TREE:
        database = 'database: "sqlite:FIC/payroll.db"'
        rest = f"parent: {parent}" if parent else "type: supervisor, version: 8.0.1, modules: [HRM]"
        lines.append(f"  - {{name: {folder}, {rest}, {database}}}")
    machine.write(f"/etc/patchd/endpoints.d/{name}.yaml", "\n".join(lines) + "\n", 0o640)
    machine.run(f"chgrp patchd /etc/patchd/endpoints.d/{name}.yaml") if machine.leader else machine.prepare(
        f"chgrp patchd /etc/patchd/endpoints.d/{name}.yaml")


def deploy(machine):
    """The five folders of the example, each with its database, at 8.0.1."""
    example = REPOSITORY / "examples/payroll"
    machine.prepare("useradd -r -m -d /srv/payroll payroll")
    for folder, _ in TREE:
        place = machine.root / "srv/payroll" / folder
        subprocess.run(["cp", "-R", example / "folder", place], check=True)
        subprocess.run(["sqlite3", place / "FIC/payroll.db"], input=(example / "schema.sql").read_bytes(), check=True)
    machine.prepare("chown -R payroll:payroll /srv/payroll && chmod -R go+rX /srv/payroll")
    configure(machine)
