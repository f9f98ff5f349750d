"""What else does the same work: programs of Debian, and the least that the kernel needs for it."""

import os
import subprocess
import time


def timed(*commands):
    """The seconds that commands take one after the other; what was written before is on the disk already."""
    os.sync()
    begin = time.monotonic()
    for command in commands:
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


SYNC = ["sync"]


def exchanges(program, new, live, names):
    """Bare exchanges of all files of one folder, and one syncfs."""
    os.sync()
    done = subprocess.run([program, new, live], input="\n".join(names), check=True, capture_output=True, text=True)
    return float(done.stdout)
