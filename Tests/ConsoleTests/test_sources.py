"""What must be true of the console's files before any of them runs."""

import re
import unittest

from sources import LANGUAGES, PACKAGE, messages, modules, translations


class Messages(unittest.TestCase):
    def test_each_is_translated(self):
        wanted = messages()
        self.assertGreater(len(wanted), 200)
        for language in LANGUAGES:
            own = translations(language)
            self.assertEqual(own.pop("")["language"], language)
            self.assertEqual(sorted(set(wanted) - set(own)), [], f"not in {language}")
            self.assertEqual(sorted(set(own) - set(wanted)), [], f"no longer used, in {language}")
            for message, forms in own.items():
                self.assertEqual(len(forms), 3 if wanted[message] else 2, f"{language}: {message}")
                for form in forms[1:]:
                    self.assertEqual(set(re.findall(r"\$\d", message + (wanted[message] or ""))), set(re.findall(r"\$\d", form)),
                                     f"{language}: {message}")

    def test_stand_as_literals_where_they_are_used(self):
        for path in modules():
            self.assertEqual(re.findall(r"\b_\([^\"]", path.read_text().replace("export const _ =", "")), [], path.name)

    def test_address_people_formally(self):
        informal = {"de": r"\b(du|dein|deine|dir|dich)\b", "fr": r"\b(tu|ton|ta|tes|toi)\b", "it": r"\b(tu|tuo|tua|tuoi|tue)\b"}
        for language, words in informal.items():
            for message, forms in translations(language).items():
                if message:
                    self.assertNotRegex(" ".join(forms[1:]).lower(), words, f"{language}: {message}")


class Files(unittest.TestCase):
    def test_read_no_markup_and_run_no_text(self):
        for path in [*modules(), PACKAGE / "index.html"]:
            self.assertNotRegex(path.read_text(), r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:|style=",
                                path.name)

    def test_load_nothing_from_elsewhere(self):
        for path in PACKAGE.iterdir():
            self.assertNotRegex(path.read_text(), r"https?://", path.name)

    def test_import_only_what_is_there(self):
        for path in modules():
            for name in re.findall(r'from "\./([^"]+)"', path.read_text()):
                self.assertTrue((PACKAGE / name).exists(), f"{path.name} imports {name}")

    def test_keep_cockpit_s_strict_policy(self):
        self.assertNotIn("content-security-policy", (PACKAGE / "manifest.json").read_text())
        self.assertNotRegex((PACKAGE / "index.html").read_text(), r"<script>|<style")


if __name__ == "__main__":
    unittest.main()
