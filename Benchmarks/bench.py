"""Runs patchd and its peers on the same work, and prints a table of ratios. See scripts/bench."""

import os
import sys
import tempfile
from pathlib import Path

from checking import large, many
from recovery import recovery
from scripts import scripts
from table import Table, machine
from work import Work

programs, exchange = Path(sys.argv[1]), Path(sys.argv[2])
out = Path(sys.argv[3]) if len(sys.argv) > 3 else None
defaults = {"FILES": 8000, "BYTES": 17500, "FOLDERS": 1000, "JOBS": 2000, "IDLE": 180, "ROUNDS": 5}
defaults |= {"LARGE": 4096, "MANY": 199000, "STEPS": 1000}
rows = {
    "files": Work.files, "recovery": recovery, "folders": Work.folders, "large": large, "many": many, "scripts": scripts,
    "history": Work.history, "idle": Work.idle, "help": Work.help,
}
sizes = {name: int(os.environ.get(name, value)) for name, value in defaults.items()}
wanted = os.environ.get("WORK", " ".join(rows)).split()

with tempfile.TemporaryDirectory(prefix="patchd-bench-", dir=os.environ.get("BENCH_DIR")) as directory:
    os.chmod(directory, 0o755)
    table, on = Table(), machine(directory)
    work = Work(directory, programs, exchange, table, sizes)
    for name in wanted:
        print(name, flush=True)
        rows[name](work, *([] if name == "idle" else [sizes["ROUNDS"]]))

told = ", ".join(f"{name}={value}" for name, value in sizes.items())
text = f"{on}; `{told}`.\n\n{table.text()}"
print("\n" + text)
if out:
    begin, end = "<!-- figures -->\n", "<!-- /figures -->\n"
    page = out.read_text()
    out.write_text(page[: page.index(begin) + len(begin)] + "\n" + text + "\n" + page[page.index(end) :])
