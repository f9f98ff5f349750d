"""A host of its own in a directory: configuration, spool, state and folders, and patchd's programs on it."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import zipfile
from pathlib import Path


class Host:
    def __init__(self, directory, programs, tree, database=None):
        """tree: by folder its parent, parents first. database: the root's."""
        self.directory, self.programs, self.tree = Path(directory), Path(programs), tree
        for name in ["etc/endpoints.d", "spool/incoming", "state", "run", "srv", "new"]:
            (self.directory / name).mkdir(parents=True)
        lines = [f"endpoint: bench\npath: {self.directory}/srv\nowner: root\nfolders:\n"]
        for folder, parent in tree.items():
            (self.directory / "srv" / folder).mkdir()
            above = f"parent: {parent}" if parent else "version: 1.0.0"
            if database and not parent:
                above += f', database: "{database}"'
            lines.append(f"  - {{name: {folder}, {above}}}\n")
        (self.directory / "etc/endpoints.d/bench.yaml").write_text("".join(lines))

    def folder(self, name):
        return self.directory / "srv" / name

    @property
    def where(self):
        own = self.directory
        return [
            "--config-dir", own / "etc", "--spool-dir", own / "spool", "--state-dir", own / "state",
            "--runtime-dir", own / "run", "--without-systemd",
        ]

    def drop(self, archive):
        """Copied under a hidden name and renamed, so that nobody sees half a file."""
        incoming = self.directory / "spool/incoming"
        shutil.copy(archive, incoming / ".part")
        os.rename(incoming / ".part", incoming / Path(archive).name)

    def request(self, command):
        place = self.directory / "spool/requests"
        (place / ".part").write_text(json.dumps(command))
        os.chmod(place / ".part", 0o600)
        os.rename(place / ".part", place / "request.json")

    def run(self):
        """Has one run of the daemon do what there is to do."""
        return Run([self.programs / "patchd", "--once", *self.where])

    def patchctl(self, *words):
        """The CPU seconds of a command."""
        child = subprocess.Popen([self.programs / "patchctl", *words, *self.where], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"patchctl {' '.join(words)} failed")
        return usage.ru_utime + usage.ru_stime

    def job(self, number):
        return json.loads((self.directory / f"state/jobs/{number}/job.json").read_text())


class Run:
    """One run of the daemon: when each of its log lines came, in seconds since it was started."""

    def __init__(self, command):
        begin = time.monotonic()
        child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.peak = 0
        watcher = threading.Thread(target=self._watch, args=(child.pid,))
        watcher.start()
        self.lines = [(time.monotonic() - begin, line.decode().rstrip()) for line in child.stderr]
        _, self.status, usage = os.wait4(child.pid, 0)
        child.returncode = self.status
        self.elapsed = time.monotonic() - begin
        # With the workers, which the daemon has waited for.
        self.cpu = usage.ru_utime + usage.ru_stime
        watcher.join()
        if self.status:
            raise SystemExit("\n".join(line for _, line in self.lines[-20:]))

    def _watch(self, pid):
        """The daemon's own peak of memory, in KiB: that of its children is theirs."""
        while True:
            try:
                found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            except OSError:
                return
            if not found:
                return
            self.peak = max(self.peak, int(found[1]))
            time.sleep(0.02)

    def at(self, text, first=True):
        """When a line came that contains a text."""
        times = [at for at, line in self.lines if text in line]
        if not times:
            raise SystemExit(f'the daemon did not say "{text}":\n' + "\n".join(line for _, line in self.lines))
        return times[0] if first else times[-1]

    def locked(self, folder):
        """When a folder was locked, and when it was unlocked for the last time."""
        return self.at(f"bench/{folder} is locked"), self.at(f"bench/{folder} is unlocked", first=False)


def pack(archive, tree, before, version):
    """An update that brings a tree to all folders."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as update:
        manifest = {
            "name": "BENCH", "version": version, "dependency": before,
            "patches": [{"name": "P", "type": "$ROOT", "path": "P", "mandatory": True}],
        }
        update.writestr("update.json", json.dumps(manifest))
        for path in sorted(Path(tree).rglob("*")):
            if path.is_file():
                update.write(path, "P/" + str(path.relative_to(tree)))
    return archive
