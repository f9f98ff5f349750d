"""What is to be done, by row of docs/performance.md: each does it with patchd and with its peers in turn."""

import base64
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

from host import Host, pack
from peers import SYNC, exchanges, timed

FOUR = {"ROOT": None, "LEFT": "ROOT", "RIGHT": "ROOT", "BELOW": "RIGHT"}


def content(tree, files, size, seed):
    """Files that compress by a quarter, fifty directories of them."""
    source = random.Random(seed)
    for number in range(files):
        path = Path(tree) / f"lib/d{number % 50}/file{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64encode(source.randbytes(size * 3 // 4)))
    return tree


def names(tree):
    return sorted(str(path.relative_to(tree)) for path in Path(tree).rglob("*") if path.is_file())


class Work:
    def __init__(self, directory, programs, exchange, table, sizes):
        self.directory, self.programs, self.exchange = Path(directory), programs, exchange
        self.table, self.sizes = table, sizes

    def fresh(self, name):
        place = self.directory / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    def copies(self, tree, place, count):
        """Copies of a tree, as what a peer updates."""
        made = [place / str(number) for number in range(count)]
        for copy in made:
            subprocess.run(["cp", "-r", tree, copy], check=True)
        return made

    # MARK: (a), (b), (c)

    def files(self, rounds):
        count, size = self.sizes["FILES"], self.sizes["BYTES"]
        own = self.fresh("files")
        before, after = content(own / "before", count, size, 1), content(own / "after", count, size, 2)
        few = own / "few"
        shutil.copytree(before, own / "mixed")
        for name in names(before)[:: 100]:
            for tree in [own / "mixed", few]:
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(after / name, tree / name)
        all_new = pack(own / "a.zip", after, "1.0.0", "1.0.1")
        few_new = pack(own / "b.zip", own / "mixed", "1.0.0", "1.0.1")
        none_new = pack(own / "c.zip", before, "1.0.0", "1.0.1")
        for _ in range(rounds):
            self.all_changed(own, before, after, all_new)
            self.few_changed(own, before, few, few_new)
            self.none_changed(own, before, none_new)
        shutil.rmtree(own)

    def updated(self, before, archive):
        """One run of patchd on four folders that have the files already."""
        host = Host(self.fresh("host"), self.programs, FOUR)
        for folder in FOUR:
            subprocess.run(["cp", "-r", f"{before}/.", host.folder(folder)], check=True)
        host.run()
        host.drop(archive)
        os.sync()
        return host, host.run()

    def all_changed(self, own, before, after, archive):
        add = lambda figure, value, goal="": self.table.add("(a)", figure, value, goal)
        host, run = self.updated(before, archive)
        spans = {folder: run.locked(folder) for folder in FOUR}
        begun = {folder: run.at(f"bench/{folder}: from ") for folder in FOUR}
        done = {folder: run.at(f"bench/{folder}: has ") for folder in FOUR}
        shutil.rmtree(host.directory)
        place = self.fresh("peers")
        live = self.copies(before, place, 4)
        unzip = timed(["unzip", "-oq", archive, "-d", live[0]])
        bare = exchanges(self.exchange, self.copies(after, self.fresh("new"), 1)[0], live[1], names(after))
        copy = timed(*(["cp", "-r", after, place / f"copy{number}"] for number in range(4)), SYNC)
        live = self.copies(before, self.fresh("peers"), 4)
        unzips = timed(*(["unzip", "-oq", archive, "-d", one] for one in live), SYNC)
        live = self.copies(before, self.fresh("peers"), 4)
        rsync = timed(*(["rsync", "-a", f"{after}/", one] for one in live), SYNC)
        longest = max(end - start for start, end in spans.values())
        applied = max(done[folder] - begun[folder] for folder in FOUR)
        add("a folder is locked, the longest ÷ `unzip -o` in place", longest / unzip, "≤ 0.05")
        add("a folder is locked, the longest ÷ bare exchanges + syncfs", longest / bare, "≤ 3")
        add("a folder's own switch, the longest ÷ bare exchanges + syncfs", applied / bare)
        waits = [begun[folder] - done[parent] for folder, parent in FOUR.items() if parent]
        add("a parent is recorded as done until its child begins, seconds", max(waits))
        add("job ÷ `cp -r` four times + sync", run.elapsed / copy, "≤ 1.1")
        add("job ÷ `unzip -o` four times + sync", run.elapsed / unzips, "< 1")
        add("job ÷ `rsync -a` four times + sync", run.elapsed / rsync, "< 1")
        add("CPU of daemon and workers ÷ job's time, cores", run.cpu / run.elapsed)
        add("peak memory of the daemon, MiB", run.peak / 1024, "≤ 64")

    def few_changed(self, own, before, few, archive):
        host, run = self.updated(before, archive)
        shutil.rmtree(host.directory)
        live = self.copies(before, self.fresh("peers"), 4)
        rsync = timed(*(["rsync", "-a", f"{few}/", one] for one in live), SYNC)
        self.table.add("(b)", "job ÷ `rsync -a` of the changed files + sync", run.elapsed / rsync, "≤ 1.5")

    def none_changed(self, own, before, archive):
        host, run = self.updated(before, archive)
        shutil.rmtree(host.directory)
        live = self.copies(before, self.fresh("peers"), 4)
        rsync = timed(*(["rsync", "-rc", f"{before}/", one] for one in live))
        self.table.add("(c)", "job ÷ `rsync -rc`", run.elapsed / rsync, "≤ 0.25")

    # MARK: (d)

    def folders(self, rounds):
        count = self.sizes["FOLDERS"]
        own = self.fresh("folders")
        tree = content(own / "tree", 10, 1000, 3)
        archive = pack(own / "d.zip", tree, "1.0.0", "1.0.1")
        for _ in range(rounds):
            half, _, _ = self.tree(archive, count // 2)
            whole, cpu, host = self.tree(archive, count)
            add = lambda figure, value, goal="": self.table.add("(d)", figure, value, goal)
            copies = [["cp", "-r", tree, own / f"copy{number}"] for number in range(count)]
            copy = timed(["sh", "-c", " && ".join(" ".join(map(str, words)) for words in copies)], SYNC)
            for number in range(count):
                shutil.rmtree(own / f"copy{number}")
            add("job ÷ `cp -r` to each + sync", whole.elapsed / copy)
            add("CPU a folder, ms", whole.cpu * 1000 / count, "≤ 8 over its files'")
            add("a job of all folders ÷ one of half of them", whole.elapsed / half.elapsed, "≤ 2.1")
            add("peak memory of the daemon, MiB", whole.peak / 1024, "≤ 40")
            add("`status`, CPU ms", host.patchctl("status") * 1000, "≤ 50")
            shutil.rmtree(host.directory)
        shutil.rmtree(own)

    def tree(self, archive, count):
        """One run on a tree of depth five in which each folder has about as many children."""
        width = 2
        while (width**5 - 1) // (width - 1) < count:
            width += 1
        tree = {f"F{number}": f"F{(number - 1) // width}" if number else None for number in range(count)}
        host = Host(self.fresh("host"), self.programs, tree)
        host.run()
        host.drop(archive)
        os.sync()
        run = host.run()
        return run, run.cpu, host

    # MARK: (i)

    def history(self, rounds):
        own = self.fresh("history")
        new, old = (Host(self.fresh(name), self.programs, FOUR) for name in ["new", "old"])
        done = {new: 0, old: 0}

        def update(host):
            number = done[host] = done[host] + 1
            tree = own / "one"
            tree.mkdir(exist_ok=True)
            (tree / "file.dat").write_text(f"{number}\n")
            host.drop(pack(own / f"{number}.zip", tree, f"1.0.{number - 1}", f"1.0.{number}"))
            (own / f"{number}.zip").unlink()
            return number

        # More than one, so that both have something to forget.
        for _ in range(10):
            update(new)
            new.run()
        kept = self.grown(old, update, self.sizes["JOBS"])
        add = lambda figure, value, goal="": self.table.add("(i)", figure, value, goal)
        add("kept of a finished job that can no longer be rolled back, bytes a step", kept / 4, "≤ 200")
        for host in [new, old]:
            host.run()
        for _ in range(rounds):
            starts = {host: host.run() for host in [new, old]}
            add("start, time ÷ a new host's", starts[old].elapsed / starts[new].elapsed, "≤ 1.1")
            add("start, CPU ÷ a new host's", starts[old].cpu / starts[new].cpu, "≤ 1.1")
            runs = {}
            for host in [new, old]:
                update(host)
                runs[host] = host.run()
            add("update of one file, time ÷ a new host's", runs[old].elapsed / runs[new].elapsed, "≤ 1.1")
            add("update of one file, CPU ÷ a new host's", runs[old].cpu / runs[new].cpu, "≤ 1.1")
            cpus = {host: host.patchctl("status") for host in [new, old]}
            add("`status`, CPU ÷ a new host's", cpus[old] / cpus[new], "≤ 1.1")
        for host in [new, old]:
            shutil.rmtree(host.directory)
        shutil.rmtree(own)

    def grown(self, host, update, jobs):
        """Jobs one after the other on a daemon that stays. Returns the bytes that the last one that was forgotten keeps."""
        daemon = subprocess.Popen([host.programs / "patchd", *host.where], stderr=subprocess.DEVNULL)
        try:
            for _ in range(jobs):
                place = host.directory / f"state/jobs/{update(host)}/job.json"
                while not (place.exists() and '"state" : "done"' in place.read_text()):
                    if any((host.directory / "spool").glob("rejected/*")):
                        raise SystemExit("an update was refused")
                    time.sleep(0.005)
        finally:
            daemon.terminate()
            daemon.wait()
        # The newest hundred stay known whatever they keep.
        first = host.directory / "state/jobs/1"
        return sum(path.stat().st_size for path in first.rglob("*") if path.is_file() and "traces" not in path.parts)

    # MARK: What costs something though nothing happens

    def idle(self):
        host = Host(self.fresh("host"), self.programs, FOUR)
        host.run()
        seconds = self.sizes["IDLE"]
        daemon = subprocess.Popen([host.programs / "patchd", *host.where], stderr=subprocess.DEVNULL)
        try:
            time.sleep(5)
            before = self.wakes(daemon.pid)
            time.sleep(seconds)
            wakes, written, resident = (now - then for now, then in zip(self.wakes(daemon.pid), before))
            add = lambda figure, value, goal: self.table.add("idle", figure, value, goal)
            add("threads woken a minute", wakes * 60 / seconds, "≤ 1")
            add("bytes written", written, "0")
            add("memory of the daemon, MiB", (before[2] + resident) / 1024, "≤ 16")
        finally:
            daemon.terminate()
            daemon.wait()
        shutil.rmtree(host.directory)

    @staticmethod
    def wakes(pid):
        """How often a thread gave up its processor so far, bytes written, and KiB of memory now."""
        switches = 0
        for thread in Path(f"/proc/{pid}/task").iterdir():
            switches += field(thread / "status", "voluntary_ctxt_switches")
        return switches, field(f"/proc/{pid}/io", "write_bytes"), field(f"/proc/{pid}/status", "VmRSS")

    def help(self, rounds):
        host = Host(self.fresh("host"), self.programs, {"ROOT": None})
        for _ in range(rounds):
            self.table.add("help", "`patchctl --help`, CPU ms", host.patchctl("--help") * 1000, "≤ 10")
        shutil.rmtree(host.directory)


def field(path, name):
    """A number of a file of /proc."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise SystemExit(f"{path} has no {name}")
