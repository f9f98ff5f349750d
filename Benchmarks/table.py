"""The figures of a run: of each row the median, the least and the greatest of all rounds."""

import statistics
import subprocess
from pathlib import Path


class Table:
    def __init__(self):
        self.rows = {}

    def add(self, work, figure, value, goal=""):
        self.rows.setdefault((work, figure, goal), []).append(value)
        print(f"  {work} {figure}: {value:.3g}", flush=True)

    def text(self):
        lines = ["| work | figure | median | min | max | rounds | goal |", "|---|---|---|---|---|---|---|"]
        for (work, figure, goal), values in self.rows.items():
            numbers = [statistics.median(values), min(values), max(values)]
            shown = " | ".join(f"{number:.3g}" for number in numbers)
            lines.append(f"| {work} | {figure} | {shown} | {len(values)} | {goal} |")
        return "\n".join(lines) + "\n"


def machine(directory):
    """What the figures were measured on."""

    def said(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) >> 20
    here = Path(__file__).parent
    commit = said("git", "-C", here, "rev-parse", "--short=12", "HEAD")
    changed = said("git", "-C", here, "status", "--porcelain", "--", "../Sources", "../Package.swift", ".")
    return (
        f"{len(cpus)} × {cpus[0].split(':')[1].strip()}, {memory} GiB, Linux {said('uname', '-r')}, "
        f"{said('findmnt', '-n', '-o', 'FSTYPE', '-T', directory)}; commit {commit}{' with changes' if changed else ''}"
    )
