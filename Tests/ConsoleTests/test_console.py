"""The console as an admin uses it: Cockpit, its bridge and Chromium in a booted systemd, on a tree of five folders.

The tests are one story and run in the order of their names.
"""

import json
import os
import tempfile
import unittest
from pathlib import Path

import archive
from browser import ADDRESS, Browser
from machine import PASSWORD, REPOSITORY, Machine, configure, deploy

PICTURES = Path(os.environ.get("PICTURES") or REPOSITORY / ".build/console")
FAILING = "SEED2"


class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory(prefix="patchd-console-")
        cls.addClassCleanup(cls.files.cleanup)
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.close)
        cls.machine.install()
        deploy(cls.machine)
        cls.machine.boot()
        cls.machine.enter_network()
        cls.machine.run("systemctl start cockpit.socket")
        cls.anna = Browser(PICTURES)
        cls.addClassCleanup(cls.anna.close)
        cls.anna.log_in("anna", PASSWORD)

    def tearDown(self):
        self.assertEqual(self.anna.errors(), [])

    # What the tests look at

    def file(self, name, content):
        path = Path(self.files.name) / name
        path.write_bytes(content)
        return path

    def job(self, number):
        return json.loads(self.machine.path(f"/var/lib/patchd/jobs/{number}/job.json").read_text())

    def folder(self, name):
        return json.loads(self.machine.path(f"/var/lib/patchd/endpoints/payroll/{name}.json").read_text())

    def sql(self, folder, text):
        return self.machine.run(f"sqlite3 /srv/payroll/{folder}/FIC/payroll.db \"{text}\"").stdout

    def until_job(self, number, state, seconds=30):
        self.anna.until(lambda: self.machine.path(f"/var/lib/patchd/jobs/{number}/job.json").exists()
                        and self.job(number)["state"] == state, f"job {number} is {state}", seconds)

    def spool(self):
        """What lies in the spool and where uploads are kept."""
        # What vanishes while it looks is no failure.
        found = self.machine.run("find /var/spool/patchd/incoming /var/spool/patchd/requests /var/tmp/patchd-upload.* "
                                 "-mindepth 1 -not -path '*/done*'", check=False).stdout
        return found.split("\n")[:-1]

    def assert_accessible(self, page):
        self.assertEqual(self.anna.nameless(), [], f"controls without a name on {page}")
        self.assertEqual(self.anna.violations(), [], page)

    # The story

    def test_01_shows_the_tree_with_versions(self):
        self.anna.open("endpoint/payroll")
        self.anna.sees("SEEDPROD2")
        rows = self.anna.driver.execute_script(
            "return [...document.querySelectorAll('tbody tr')].map(row => row.innerText.split(/\\s+/).slice(0, 5).join(' '))")
        self.assertEqual([row.split()[1:3] for row in rows],
                         [["1", "PAIE"], ["2", "SEED"], ["2", "SEED2"], ["2", "SEEDPROD"], ["3", "SEEDPROD2"]])
        self.assertTrue(all("8.0.1" in row for row in rows), rows)
        self.assert_accessible("endpoint")

    def test_02_filters_folders_and_keeps_the_cursor_in_the_field(self):
        field = self.anna.find("field", "Filter folders")[0]
        field.send_keys("prod")
        self.anna.sees("2 of 5 folders")
        self.assertEqual(self.anna.driver.switch_to.active_element, field)
        field.clear()
        field.send_keys(" ")
        self.anna.sees("5 of 5 folders")

    def test_03_refuses_what_is_no_archive_and_leaves_nothing(self):
        self.anna.open("update")
        self.anna.drop(self.file("letter.zip", b"Dear admin, this is no archive."))
        self.anna.sees("letter.zip is no zip archive.")
        self.anna.drop(self.file("broken.zip", b"PK\x03\x04" + b"\0" * 5000))
        self.anna.sees("The archive is refused.")
        self.anna.press("button", "Choose another archive")
        self.anna.until(lambda: not self.spool(), "nothing is left")

    def test_04_says_nothing_of_four_gigabytes_before_they_are_sent(self):
        path = Path(self.files.name) / "large.zip"
        with open(path, "wb") as file:
            file.truncate(4 << 30)
        self.anna.drop(path)
        self.anna.sees("large.zip is no zip archive.")
        self.assertEqual(self.spool(), [])

    def test_05_shows_an_archive_and_its_hostile_names_as_text(self):
        self.machine.run(f"sqlite3 /srv/payroll/{FAILING}/FIC/payroll.db 'ALTER TABLE employee RENAME TO staff'")
        self.anna.drop(self.file("X3V8_P2.zip", archive.pack(description="From 8.0.1 to 8.0.2 <script>document.title = 1</script>")))
        self.anna.sees("The archive is fine.")
        for text in ("8.0.2", "8.0.1", "<script>document.title = 1</script>", "Optional reports", "Mandatory maintenance"):
            self.assertIn(text, self.anna.text)
        self.assertFalse(self.anna.find("checkbox", "Apply patch X3V8_P2")[0].is_enabled())
        self.assertTrue(self.anna.find("checkbox", "Apply patch X3V8_P2BIS")[0].is_selected())
        self.assert_accessible("update")
        self.anna.picture("update")

    def test_06_leaves_out_the_folders_below_one_that_is_left_out(self):
        self.anna.press("checkbox", "SEEDPROD")
        for folder, isIn in (("PAIE", True), ("SEED", True), ("SEEDPROD", False), ("SEEDPROD2", False)):
            self.assertEqual(self.anna.find("checkbox", folder)[0].is_selected(), isIn, folder)
        self.anna.sees("SEEDPROD, SEEDPROD2")
        self.anna.press("checkbox", "SEEDPROD2")
        for folder in ("PAIE", "SEEDPROD", "SEEDPROD2"):
            self.assertTrue(self.anna.find("checkbox", folder)[0].is_selected(), folder)

    def test_07_tests_and_shows_every_file_and_statement(self):
        self.anna.press("checkbox", "Apply patch X3V8_P2BIS")
        self.anna.press("button", "Test")
        self.anna.sees("The test went well.")
        self.assertEqual(self.job(1)["operation"], "test")
        self.assertEqual(self.folder("SEED")["version"], "8.0.1")
        self.anna.driver.find_element("css selector", "[data-key=plan-payroll-SEED] summary").click()
        self.anna.sees(archive.HOSTILE)
        self.anna.sees("ALTER TABLE employee ADD COLUMN leave")
        self.assertNotIn("LEAVE.csv", self.anna.text)
        self.assertEqual(self.anna.driver.find_elements("css selector", "img, body script, [onerror]"), [])
        self.anna.press("checkbox", "Apply patch X3V8_P2BIS")

    def test_08_an_admin_of_the_host_plans_with_cockpit_s_escalation(self):
        boss = Browser(PICTURES)
        try:
            boss.log_in("boss", PASSWORD, superuser=True)
            boss.open("update")
            boss.drop(self.file("X3V8_P2.zip", archive.pack()))
            boss.press("button", "Show the plan")
            boss.sees("The plan has no fault.")
            boss.sees("Plan for payroll")
            self.assertEqual(boss.errors(), [])
        finally:
            boss.close()

    def test_09_applies_after_one_question_and_follows_the_job(self):
        self.anna.press("button", "Apply …")
        asked = self.anna.answer("Apply")
        self.assertIn("payroll/SEEDPROD2: 8.0.1 → 8.0.2", asked)
        self.assertIn("patchctl submit X3V8_P2.zip --endpoint payroll", asked)
        self.anna.until(lambda: self.anna.driver.execute_script("return location.hash") == "#/job/2", "the job is shown")
        self.until_job(2, "failed")
        self.anna.sees("Resume …")
        self.assertEqual({name: folder["state"] for name, folder in self.job(2)["folders"].items()},
                         {"PAIE": "done", "SEED": "done", FAILING: "failed", "SEEDPROD": "done", "SEEDPROD2": "done"})
        self.assertTrue(self.machine.path(f"/srv/payroll/{FAILING}/update.lock").exists())
        self.anna.open(f"job/2/{FAILING}")
        self.anna.sees("no such table: employee")
        self.assert_accessible("job")
        self.anna.picture("job")
        self.assertEqual(self.spool(), [], "the upload is gone with the page that made it")

    def test_10_puts_first_what_needs_a_person(self):
        self.anna.open("")
        self.anna.sees("Job 2 failed: X3V8_P2 8.0.2 on payroll")
        self.anna.sees("1 folder of payroll cannot be used")
        self.assert_accessible("overview")

    def test_10b_is_a_page_of_cockpit(self):
        self.anna.driver.get("http://127.0.0.1:9090/patchd")
        frame = self.anna.until(lambda: self.anna.driver.find_elements("css selector", "iframe[name='cockpit1:localhost/patchd']"), "Cockpit shows it")[0]
        self.anna.until(lambda: "Application updates" in self.anna.text, "it is in Cockpit's menu")
        self.anna.driver.switch_to.frame(frame)
        try:
            self.anna.sees("Job 2 failed: X3V8_P2 8.0.2 on payroll")
        finally:
            self.anna.driver.switch_to.default_content()
        self.anna.picture("cockpit")
        # Cockpit's own pages find no session manager on this machine.
        self.anna.errors()
        self.anna.driver.get(f"{ADDRESS}/cockpit/@localhost/patchd/index.html")
        self.anna.sees("Needs attention")

    def test_11_resumes_when_the_cause_is_removed(self):
        self.machine.run(f"sqlite3 /srv/payroll/{FAILING}/FIC/payroll.db 'ALTER TABLE staff RENAME TO employee'")
        self.anna.open("job/2")
        self.anna.press("button", "Resume …")
        self.assertIn(f"{FAILING}: failed", self.anna.answer("Resume"))
        self.anna.sees("The job is resumed.")
        self.until_job(2, "done")
        self.anna.until(lambda: self.anna.find("button", "Roll back the job …"), "the page follows")
        for folder in ("PAIE", "SEED", FAILING, "SEEDPROD", "SEEDPROD2"):
            self.assertEqual(self.folder(folder)["version"], "8.0.2")
            self.assertTrue(self.machine.path(f"/srv/payroll/{folder}/{archive.HOSTILE}").exists())
        self.assertIn("leave", self.sql(FAILING, ".schema employee"))
        self.assertFalse(self.machine.path(f"/srv/payroll/{FAILING}/update.lock").exists())

    def test_12_shows_version_last_update_downtime_and_trace(self):
        self.anna.open("endpoint/payroll")
        self.anna.until(lambda: self.anna.text.count("8.0.2") == 5, "all have the version")
        self.anna.until(lambda: self.anna.driver.execute_script(
            "return [...document.querySelectorAll('tbody tr')].every(row => /[0-9]/.test(row.cells[4].innerText))"), "downtimes are shown")
        self.anna.picture("endpoint")
        self.anna.press("link", "Trace of SEED")
        self.anna.until(lambda: "▸ script upgrades/8.0.2_leave.sql" in self.anna.text or "8.0.2_leave.sql" in self.anna.text, "the trace is shown")

    def test_13_rolls_back_a_folder_with_those_below_it(self):
        self.anna.open("endpoint/payroll")
        self.anna.press("button", "Roll back SEEDPROD")
        asked = self.anna.dialog().text
        self.anna.picture("rollback")
        self.assert_accessible("the question before a rollback")
        self.assertIn("SEEDPROD: 8.0.2 → 8.0.1", asked)
        self.assertIn("SEEDPROD2: 8.0.2 → 8.0.1", asked)
        self.assertNotIn("SEED2", asked)
        self.assertIn("patchctl rollback payroll/SEEDPROD", asked)
        self.anna.answer("Roll back")
        self.until_job(3, "done")
        for folder, version in (("PAIE", "8.0.2"), ("SEED", "8.0.2"), ("SEEDPROD", "8.0.1"), ("SEEDPROD2", "8.0.1")):
            self.assertEqual(self.folder(folder)["version"], version, folder)
        self.assertNotIn("leave", self.sql("SEEDPROD2", ".schema employee"))
        self.anna.until(lambda: self.anna.text.count("behind") >= 2, "the page follows")

    def test_14_rolls_back_the_job(self):
        self.anna.open("job/2")
        self.anna.press("button", "Roll back the job …")
        self.assertIn("SEED: 8.0.2 → 8.0.1", self.anna.answer("Roll back"))
        self.until_job(4, "done")
        self.assertEqual(self.folder("PAIE")["version"], "8.0.1")
        self.assertFalse(self.machine.path(f"/srv/payroll/PAIE/{archive.HOSTILE}").exists())

    def test_15_holds_and_lifts(self):
        self.anna.open("holds")
        self.anna.sees("Nothing is held.")
        self.anna.find("field", "Reason")[0].send_keys("payday <b>today</b>")
        self.anna.press("button", "Hold")
        self.anna.sees("ALL is held.")
        self.assertEqual(self.machine.path("/var/spool/patchd/holds/ALL.lock").read_text().strip(), "payday <b>today</b>")
        self.anna.sees("payday <b>today</b>")
        self.assert_accessible("holds")
        self.anna.press("button", "Lift the hold on ALL")
        self.anna.answer("Lift")
        self.anna.sees("Nothing is held.")
        self.assertFalse(self.machine.path("/var/spool/patchd/holds/ALL.lock").exists())

    def test_16_a_hold_of_another_program_appears_by_itself(self):
        self.machine.run("echo 'month end' >/var/spool/patchd/holds/payroll.lock")
        self.anna.sees("month end")
        self.machine.run("rm /var/spool/patchd/holds/payroll.lock")
        self.anna.sees("Nothing is held.")

    def test_17_another_user_approves_with_plan_and_sum(self):
        configure(self.machine, settings="approval: required")
        self.machine.run("systemctl reload patchd")
        self.anna.open("update")
        content = archive.pack()
        self.anna.drop(self.file("X3V8_P2.zip", content))
        self.anna.press("button", "Apply …")
        self.anna.answer("Apply")
        self.until_job(5, "pendingApproval")
        ben = Browser(PICTURES)
        try:
            ben.log_in("ben", PASSWORD)
            ben.sees("Job 5 waits for approval: X3V8_P2 8.0.2 on payroll")
            ben.press("link", "Review and approve")
            ben.sees("What is approved")
            ben.sees("Plan for payroll")
            ben.picture("approval")
            ben.press("button", "Approve …")
            asked = ben.answer("Approve")
            self.assertIn(self.job(5)["sha256"], asked)
            self.assertIn(f"patchctl approve 5 --sha256 {self.job(5)['sha256']}", asked)
            # Two admins at once: the other one's page follows, and what comes too late is answered in words.
            self.until_job(5, "done")
            ben.sees("done")
            self.anna.sees("Roll back the job …")
            self.assertEqual(ben.errors(), [])
        finally:
            ben.close()
        self.assertEqual(self.job(5)["approval"]["by"]["name"], "ben")
        configure(self.machine)
        self.machine.run("systemctl reload patchd")

    def test_18_two_who_cancel_at_once_are_both_answered(self):
        self.machine.run("echo wait >/var/spool/patchd/holds/ALL.lock")
        self.anna.open("update")
        self.anna.drop(self.file("X3V8_P3.zip", archive.pack("8.0.3", "8.0.2", sql="SELECT 1;\n", back="SELECT 1;\n")))
        self.anna.press("button", "Apply …")
        self.anna.answer("Apply")
        self.until_job(6, "waiting")
        self.anna.press("button", "Cancel the job …")
        self.anna.dialog()
        self.machine.run("patchctl cancel 6 && rm /var/spool/patchd/holds/ALL.lock")
        self.anna.answer("Cancel the job")
        self.anna.until(lambda: self.anna.driver.find_elements("css selector", ".notices .danger"), "the later one is answered")
        self.assertEqual(self.job(6)["state"], "cancelled")

    def test_19_a_cut_upload_leaves_nothing(self):
        self.anna.open("update")
        path = Path(self.files.name) / "long.zip"
        with open(path, "wb") as file:
            file.write(b"PK\x03\x04")
            file.truncate(1 << 30)
        self.anna.drop(path)
        self.anna.until(lambda: any("long.zip" in name for name in self.spool()), "the upload has begun")
        # As a broken line does: the bridge of the session is gone at once.
        self.machine.run("pkill -KILL -u anna -x cockpit-bridge")
        self.anna.until(lambda: not self.spool(), "nothing of it is left")
        path.unlink()
        self.anna.driver.delete_all_cookies()
        self.anna.driver.execute_script("sessionStorage.clear()")
        self.anna.log_in("anna", PASSWORD)
        self.anna.errors()

    def test_20_a_large_archive_arrives_whole(self):
        self.anna.open("update")
        content = archive.pack("8.0.3", "8.0.2", filler=24)
        self.anna.drop(self.file("filled.zip", content))
        self.anna.sees("The archive is fine.", 60)
        uploaded = [name for name in self.spool() if name.endswith("filled.zip")]
        self.assertEqual(self.machine.path(uploaded[0]).read_bytes(), content)
        self.anna.press("button", "Choose another archive")
        self.anna.until(lambda: not self.spool(), "nothing of it is left")

    def test_21_says_that_the_daemon_is_down(self):
        self.anna.open("")
        self.machine.run("systemctl stop patchd")
        self.anna.sees("The daemon is not running.")
        self.anna.open("endpoint/payroll")
        self.anna.sees("SEEDPROD2")
        self.machine.run("systemctl start patchd")
        self.anna.open("")
        self.anna.until(lambda: "The daemon is not running." not in self.anna.text, "the page follows")

    def test_22_says_that_a_configuration_is_refused(self):
        self.machine.run("cp -a /etc/patchd/patchd.yaml /root/ && echo 'grce: 5s' >>/etc/patchd/patchd.yaml")
        self.anna.sees("The configuration is refused; patchd keeps the one that it has.")
        self.anna.sees("patchctl config check")
        self.machine.run("cp -a /root/patchd.yaml /etc/patchd/patchd.yaml")
        self.anna.until(lambda: "The configuration is refused" not in self.anna.text, "the page follows")

    def test_23_lists_all_jobs(self):
        self.anna.open("history")
        self.anna.until(lambda: len(self.anna.driver.find_elements("css selector", "tbody tr")) == 6, "all jobs are there")
        self.assert_accessible("history")

    def test_24_who_is_not_in_the_group_sees_folders_and_is_told_so(self):
        guest = Browser(PICTURES)
        try:
            guest.log_in("guest", PASSWORD)
            guest.sees("Jobs, plans and traces are not shown to you.")
            guest.sees("adduser guest patchd")
            guest.open("endpoint/payroll")
            guest.sees("SEEDPROD2")
            guest.open("job/2")
            guest.sees("Jobs are for members of group patchd.")
            self.assertEqual(guest.errors(), [])
        finally:
            guest.close()

    def test_25_fits_a_narrow_window_and_the_dark(self):
        try:
            self.anna.devtools("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
            for page in ("", "endpoint/payroll", "update", "job/2/SEED", "history", "holds"):
                self.anna.open(page)
                width = self.anna.driver.execute_script("return document.documentElement.scrollWidth")
                self.assertLessEqual(width, 400, page)
            self.anna.driver.execute_script("localStorage.setItem('shell:style', 'dark'); window.dispatchEvent(new CustomEvent('cockpit-style', {detail: {style: 'dark'}}))")
            self.anna.open("endpoint/payroll")
            self.anna.picture("narrow-dark")
            self.assert_accessible("endpoint in the dark")
            self.assertTrue(self.anna.driver.execute_script("return document.documentElement.classList.contains('dark')"))
        finally:
            self.anna.devtools("Emulation.clearDeviceMetricsOverride")
            self.anna.driver.execute_script("localStorage.removeItem('shell:style'); window.dispatchEvent(new CustomEvent('cockpit-style', {detail: {style: 'light'}}))")

    def test_26_works_by_keyboard(self):
        self.anna.open("")
        reached = set()
        from selenium.webdriver.common.keys import Keys
        self.anna.driver.find_element("tag name", "body").click()
        for _ in range(12):
            self.anna.driver.switch_to.active_element.send_keys(Keys.TAB)
            reached.add(self.anna.driver.switch_to.active_element.text)
        self.assertTrue({"Overview", "payroll", "New update", "History", "Holds"} <= reached, reached)

    def test_27_speaks_the_user_s_language(self):
        for language, words in (("de-de", ["Anwendungsupdates", "Endpunkte"]), ("fr-fr", ["Vue d’ensemble", "Points de terminaison"]), ("it-it", ["Panoramica", "Richiede attenzione"])):
            self.anna.driver.add_cookie({"name": "CockpitLang", "value": language})
            self.anna.driver.get(self.anna.driver.current_url.split("#")[0])
            self.anna.until(lambda: self.anna.driver.execute_script("return document.body?.dataset.ready"), "it is loaded")
            for word in words:
                self.anna.sees(word)
            self.assertEqual(self.anna.driver.execute_script("return document.documentElement.lang")[:2], language[:2])
        self.anna.driver.delete_cookie("CockpitLang")
        self.anna.driver.get(self.anna.driver.current_url.split("#")[0])
        self.anna.sees("Overview")

    def test_28_follows_a_job_step_by_step(self):
        self.machine.run("sqlite3 /srv/payroll/SEED2/FIC/payroll.db 'ALTER TABLE employee ADD COLUMN bonus INTEGER'")
        script = "#!/bin/sh\necho waits in $PATCHD_FOLDER\nwhile [ ! -e go ]; do sleep 0.1; done\necho goes on\n"
        self.anna.open("update")
        self.anna.drop(self.file("X3V8_P3.zip", archive.pack(
            "8.0.3", "8.0.2", sql="ALTER TABLE employee ADD COLUMN bonus INTEGER;\n", back="ALTER TABLE employee DROP COLUMN bonus;\n", script=script)))
        self.anna.press("button", "Apply …")
        self.anna.answer("Apply")
        self.until_job(7, "running")
        self.anna.until(lambda: self.anna.find("link", "Trace of PAIE"), "the root folder has begun")
        self.anna.press("link", "Trace of PAIE")
        self.anna.sees("| waits in PAIE")
        self.assertIn("8.0.3.sh", self.anna.text)
        self.anna.open("")
        self.anna.sees("Job 7: Update of payroll to 8.0.3")
        self.assert_accessible("overview with a job under way")
        self.anna.picture("running")
        self.anna.open("job/7/PAIE")
        self.anna.sees("| waits in PAIE")
        self.machine.run("touch /srv/payroll/PAIE/go")
        self.anna.sees("| goes on")
        self.machine.run("cd /srv/payroll && touch SEED/go SEED2/go SEEDPROD/go SEEDPROD2/go")
        self.until_job(7, "failed")

    def test_29_takes_a_step_as_done_that_was_done_by_hand(self):
        self.anna.press("button", "Assume the step of SEED2 done …")
        asked = self.anna.answer("Resume")
        self.assertIn("patchctl resume 7 --assume-done", asked)
        self.until_job(7, "done")
        self.assertEqual(self.folder("SEED2")["version"], "8.0.3")


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast=True)
