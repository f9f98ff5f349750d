"""Chromium on the machine's network, driven over the DevTools protocol."""

import os
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

AXE = Path(__file__).resolve().parents[2] / ".build/console/axe.min.js"
ADDRESS = "http://127.0.0.1:9090"
FILE = """
const input = document.createElement('input');
input.type = 'file';
input.id = 'dragged';
document.body.append(input);
"""
DROP = """
const [zone, file] = [document.querySelector('.drop'), document.getElementById('dragged').files[0]];
const data = new DataTransfer();
data.items.add(file);
for (const type of ['dragenter', 'dragover', 'drop'])
    zone.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data}));
document.getElementById('dragged').remove();
"""


class Browser:
    """One user's browser: a profile, and so a session, of its own."""

    def __init__(self, pictures, language="en-US"):
        self.pictures = Path(pictures)
        self.profile = tempfile.TemporaryDirectory(prefix="patchd-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-device-scale-factor=1",
                         f"--user-data-dir={self.profile.name}", f"--lang={language}", "--window-size=1280,900"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # The driver is a child of this process, which is on the machine's network.
        os.environ["HOME"] = self.profile.name
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(60)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    # Where it is

    def log_in(self, user, password, language=None, superuser=False):
        """To the console's own page, without Cockpit's frame around it."""
        self.driver.get(f"{ADDRESS}/cockpit/@localhost/patchd/index.html")
        if superuser:
            # What Cockpit's frame keeps when the user switches administrative access on.
            self.driver.execute_script("localStorage.setItem('superuser:' + arguments[0], 'any')", user)
        if language:
            self.driver.add_cookie({"name": "CockpitLang", "value": language})
            self.driver.execute_script("localStorage.setItem('cockpit.lang', arguments[0])", language)
        self.until(lambda: self.driver.find_elements(By.ID, "login-user-input"), "Cockpit asks for a name")
        self.until(lambda: self.driver.find_element(By.ID, "login-user-input").is_displayed(), "the form is shown")
        self.driver.find_element(By.ID, "login-user-input").send_keys(user)
        self.driver.find_element(By.ID, "login-password-input").send_keys(password)
        self.driver.find_element(By.ID, "login-button").click()
        self.until(lambda: self.driver.execute_script("return document.body?.dataset.ready"), "the console has read the state", 30)

    def open(self, path):
        self.driver.execute_script("location.hash = arguments[0]", f"#/{path}")
        name = path.split("/")[0] or "overview"
        self.until(lambda: self.driver.execute_script("return document.body.dataset.ready") == name, f"{path} is open")

    # What is on it

    @property
    def text(self):
        return self.driver.execute_script("return document.body.innerText")

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            try:
                found = condition()
            except StaleElementReferenceException:
                found = None
            if found:
                return found
            if time.monotonic() > end:
                self.picture("failed-" + "".join(mark if mark.isalnum() else "-" for mark in what)[:60])
                raise AssertionError(f"waited {seconds} s in vain until {what}; the page says:\n{self.text}")
            time.sleep(0.05)

    def sees(self, text, seconds=20):
        self.until(lambda: text in self.text, f"the page says {text!r}", seconds)

    def find(self, role, name):
        """The elements that a screen reader would call so; with one that begins so where the name ends in an ellipsis."""
        selectors = {"button": "button", "link": "a", "checkbox": "input[type=checkbox]", "field": "input, select, textarea"}
        found = []
        for element in self.driver.find_elements(By.CSS_SELECTOR, selectors[role]):
            if element.is_displayed() and element.accessible_name.strip() == name:
                found.append(element)
        return found

    def press(self, role, name, seconds=20):
        element = self.until(lambda: self.find(role, name), f"there is a {role} {name!r}", seconds)[-1]
        self.until(element.is_enabled, f"{name!r} can be pressed", seconds)
        element.click()

    def dialog(self):
        return self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"), "a question is asked")[0]

    def answer(self, verb):
        """Presses a button of the question and returns what it said."""
        dialog = self.dialog()
        text = dialog.text
        [button for button in dialog.find_elements(By.TAG_NAME, "button") if button.text == verb][0].click()
        self.until(lambda: not self.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the question is gone")
        return text

    def drop(self, path):
        """Drags a file of this host onto the page."""
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".drop"), "there is a place to drop a file")
        self.driver.execute_script(FILE)
        self.driver.find_element(By.ID, "dragged").send_keys(str(path))
        self.driver.execute_script(DROP)

    def picture(self, name):
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    # What it is like

    def devtools(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def errors(self):
        """What the page itself did wrong: scripts that failed, and what the policy for content forbade."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "favicon" not in entry["message"] and "401" not in entry["message"]]

    def violations(self):
        """What keeps people out who use a screen reader or a keyboard, or see little: serious and critical findings of axe. None
        where axe could not be had; ``nameless`` needs nothing."""
        if not AXE.exists():
            return []
        self.driver.execute_script(AXE.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document).then(results => done(results.violations), error => done(String(error)))")
        if isinstance(found, str):
            raise AssertionError(f"axe did not run: {found}")
        return [f"{one['id']} ({one['impact']}): {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]
                if one["impact"] in ("serious", "critical")]

    def nameless(self):
        """Controls without a name in the tree that Chromium gives to screen readers."""
        roles = {"button", "link", "checkbox", "textbox", "searchbox", "combobox", "progressbar", "dialog", "region", "navigation", "log"}
        return [node["role"]["value"] for node in self.devtools("Accessibility.getFullAXTree")["nodes"]
                if not node.get("ignored") and node.get("role", {}).get("value") in roles and not node.get("name", {}).get("value")]
