"""(g) many SQL scripts, and one with many statements, on SQLite: against one client that runs them all."""

import os
import shutil
import subprocess
import time

from host import Host, pack

TABLE = "CREATE TABLE entry (id INTEGER PRIMARY KEY, text TEXT);"


def client(database, scripts):
    """One client process that runs all scripts, each in a transaction of its own as patchd does it."""
    subprocess.run(["sqlite3", database, TABLE], check=True)
    os.sync()
    begin = time.monotonic()
    text = "".join(f"BEGIN;\n{script}COMMIT;\n" for script in scripts)
    subprocess.run(["sqlite3", database], input=text, text=True, check=True)
    return time.monotonic() - begin


def job(work, archive):
    """The seconds between the beginning and the end of the folder's work."""
    host = Host(work.fresh("host"), work.programs, {"ROOT": None}, database="sqlite:app.db")
    subprocess.run(["sqlite3", host.folder("ROOT") / "app.db", TABLE], check=True)
    host.run()
    host.drop(archive)
    os.sync()
    run = host.run()
    shutil.rmtree(host.directory)
    return run.at("bench/ROOT: has ") - run.at("bench/ROOT: from ")


def compare(work, rounds, figure, scripts, goal):
    own = work.fresh("scripts")
    place = own / "tree/upgrades"
    place.mkdir(parents=True)
    for number, script in enumerate(scripts, 1):
        (place / f"1.0.{number}.sql").write_text(script)
    archive = pack(own / "g.zip", own / "tree", "1.0.0", f"1.0.{len(scripts)}")
    for _ in range(rounds):
        seconds = client(own / "peer.db", scripts)
        (own / "peer.db").unlink()
        work.table.add("(g)", figure, job(work, archive) / seconds, goal)
    shutil.rmtree(own)


def scripts(work, rounds):
    steps = [f"INSERT INTO entry (text) VALUES ('{number}');\n" for number in range(work.sizes["STEPS"])]
    compare(work, rounds, "scripts of one statement each ÷ one `sqlite3` that runs them all", steps, "≤ 1.5")
    rows = "".join(f"INSERT INTO entry (text) VALUES ('{number}');\n" for number in range(work.sizes["STEPS"] * 60))
    compare(work, rounds, "one script of sixty times as many INSERTs ÷ `sqlite3`", [rows], "≤ 1.3")
