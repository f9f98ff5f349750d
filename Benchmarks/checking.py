"""(e) one large file and (f) very many small ones: what checking an archive costs."""

import os
import random
import shutil
import subprocess
import time
import zipfile

from host import Host, pack
from peers import timed


def checked(host, archive):
    """Seconds that `patchctl lint` takes, and MiB of memory of it and its worker at most."""
    os.sync()
    begin = time.monotonic()
    child = subprocess.Popen([host.programs / "patchctl", "lint", archive, *host.where], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit(f"patchctl lint {archive} failed")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def compare(work, name, host, archive):
    # Both read it from the memory of the kernel.
    subprocess.run(["cat", archive], stdout=subprocess.DEVNULL, check=True)
    seconds, memory = checked(host, archive)
    work.table.add(name, "`patchctl lint` ÷ `unzip -tq`", seconds / timed(["unzip", "-tq", archive]), "≤ 1")
    work.table.add(name, "memory of `patchctl lint` and its worker, MiB", memory, "≤ 32")


def large(work, rounds):
    """(e): half of it cannot be compressed."""
    own = work.fresh("large")
    (own / "tree").mkdir()
    source = random.Random(5)
    with open(own / "tree/large.dat", "wb") as file:
        for _ in range(work.sizes["LARGE"]):
            block = source.randbytes(1 << 19)
            file.write(block + bytes(1 << 19))
    archive = pack(own / "e.zip", own / "tree", "1.0.0", "1.0.1")
    shutil.rmtree(own / "tree")
    host = Host(own / "host", work.programs, {"ROOT": None})
    for _ in range(rounds):
        compare(work, "(e)", host, archive)
    shutil.rmtree(own)


def many(work, rounds):
    """(f): checked, applied to one folder, and taken back."""
    own = work.fresh("many")
    archive = own / "f.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as update:
        update.writestr(
            "update.json",
            '{"name":"BENCH","version":"1.0.1","dependency":"1.0.0","patches":'
            '[{"name":"P","type":"$ROOT","path":"P","mandatory":true}]}')
        for number in range(work.sizes["MANY"]):
            update.writestr(f"P/d{number % 500}/a file with a longer name {number}.dat", f"{number}\n")
    for _ in range(rounds):
        host = Host(work.fresh("host"), work.programs, {"ROOT": None})
        host.run()
        compare(work, "(f)", host, archive)
        host.drop(archive)
        applied = host.run()
        host.request({"command": "rollback", "target": "bench/ROOT"})
        back = host.run()
        work.table.add("(f)", "peak memory of the daemon while it applies, MiB", applied.peak / 1024, "≤ 64")
        work.table.add("(f)", "peak memory of the daemon while it rolls back, MiB", back.peak / 1024, "≤ 64")
        shutil.rmtree(host.directory)
    shutil.rmtree(own)
