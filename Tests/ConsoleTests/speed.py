"""Prints how long the console takes until it shows something, and until it shows the folders, on a host with a long past."""

import json
import shutil
import statistics
import sys
import tempfile

import archive
from browser import ADDRESS, Browser
from machine import PASSWORD, Machine, configure, deploy

FOLDERS = 500
JOBS = 1000
RUNS = 5
MEASURE = """
const done = arguments[0];
const ready = () => document.querySelector(arguments[1]);
const answer = () => requestAnimationFrame(() => done({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now(), shown: performance.now()}));
if (ready()) answer();
else {
    const observer = new MutationObserver(() => { if (ready()) { observer.disconnect(); answer(); } });
    observer.observe(document, {childList: true, subtree: true, attributes: true});
}
"""


def past(machine):
    """A job that was really done, a thousand times, and a tree of five hundred folders."""
    jobs = machine.root / "var/lib/patchd/jobs"
    text = (jobs / "1/job.json").read_text()
    for number in range(2, JOBS + 1):
        shutil.copytree(jobs / "1", jobs / str(number), copy_function=shutil.copy)
        job = json.loads(text)
        job["job"] = number
        (jobs / str(number) / "job.json").write_text(json.dumps(job))
    (jobs / "index.json").unlink()
    machine.prepare("chown -R root:patchd /var/lib/patchd/jobs && chmod -R g+rX /var/lib/patchd/jobs")


def main():
    with tempfile.TemporaryDirectory() as pictures:
        machine = Machine()
        try:
            machine.install()
            deploy(machine)
            machine.path("/var/spool/patchd/incoming/X3V8_P2.zip").write_bytes(archive.pack())
            machine.prepare("patchd --once --without-systemd")
            past(machine)
            tree = [("ROOT", None)] + [(f"F{number}", "ROOT" if number < 50 else f"F{number // 10}") for number in range(1, FOLDERS - 5)]
            machine.prepare(f"mkdir -p /srv/large && cd /srv/large && mkdir {' '.join(name for name, _ in tree)} && chown -R payroll: /srv/large")
            configure(machine, "large", tree, settings='accepts: ["NONE*"]')
            machine.prepare("sed -i 's/, database: .*}/}/' /etc/patchd/endpoints.d/large.yaml; echo 'accepts: [\"X3V8_*\"]' >>/etc/patchd/endpoints.d/payroll.yaml")
            machine.boot()
            machine.enter_network()
            machine.run("systemctl start cockpit.socket")
            # The daemon writes their files one by one.
            folders = 0
            while folders < FOLDERS - 1:
                status = json.loads(machine.run("patchctl status --json").stdout)
                folders = sum(len(endpoint["folders"]) for endpoint in status["endpoints"])
            jobs = len(json.loads(machine.run("patchctl jobs --json").stdout)["jobs"])
            browser = Browser(pictures)
            try:
                browser.log_in("anna", PASSWORD)
                print(f"{folders} folders, {jobs} jobs")
                for name, page, selector in (("overview", "", "body[data-ready] tbody tr"), ("endpoint", "endpoint/large", "tbody tr[data-key=F400]"),
                                             ("history", "history", "tbody tr")):
                    paints, shown = [], []
                    for _ in range(RUNS):
                        browser.driver.get("about:blank")
                        browser.driver.get(f"{ADDRESS}/cockpit/@localhost/patchd/index.html#/{page}")
                        times = browser.driver.execute_async_script(MEASURE.replace("arguments[1]", json.dumps(selector)))
                        paints.append(times["paint"])
                        shown.append(times["shown"])
                    print(f"{name}: first paint {statistics.median(paints):.0f} ms (at most {max(paints):.0f} ms), "
                          f"complete {statistics.median(shown):.0f} ms (at most {max(shown):.0f} ms)")
            finally:
                browser.close()
        finally:
            machine.close()


sys.exit(main())
