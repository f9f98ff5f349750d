"""How long it takes after `kill -9` until the next step is done."""

import os
import shutil
import signal
import subprocess
import time

from host import Host, pack
from work import FOUR, content


def steps(host, job):
    """Bytes that the workers have recorded of their steps so far."""
    place = host.directory / f"state/jobs/{job}/ledger"
    return sum(path.stat().st_size for path in place.iterdir()) if place.exists() else 0


def until(condition, what):
    end = time.monotonic() + 300
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what} has not come")
        time.sleep(0.002)


def recovery(work, rounds):
    """Killed with its workers in the middle of (a)."""
    own = work.fresh("recovery")
    before = content(own / "before", work.sizes["FILES"], work.sizes["BYTES"], 1)
    after = content(own / "after", work.sizes["FILES"], work.sizes["BYTES"], 2)
    archive = pack(own / "a.zip", after, "1.0.0", "1.0.1")
    for _ in range(rounds):
        host = Host(work.fresh("host"), work.programs, FOUR)
        for folder in FOUR:
            subprocess.run(["cp", "-r", f"{before}/.", host.folder(folder)], check=True)
        host.run()
        host.drop(archive)
        command = [host.programs / "patchd", *host.where]
        daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        until(lambda: (host.folder("LEFT") / "update.lock").exists(), "the lock of LEFT")
        until(lambda: steps(host, 1) > 0, "the first step")
        daemon.send_signal(signal.SIGKILL)
        subprocess.run(["pkill", "-KILL", "-f", f"{host.programs}/patchd-worker"], check=False)
        daemon.wait()
        os.sync()
        known = steps(host, 1)
        begin = time.monotonic()
        daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(lambda: steps(host, 1) > known, "the next step")
        work.table.add("(a)", "from the start after `kill -9` to the next step, s", time.monotonic() - begin, "≤ 1")
        until(lambda: host.job(1)["state"] == "done", "the end of the job")
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(host.directory)
    shutil.rmtree(own)
