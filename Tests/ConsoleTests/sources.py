"""The console's source files, and the messages in them."""

import json
import re
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "share/cockpit/patchd"
LANGUAGES = ("de", "fr", "it")
TEXT = r'"((?:[^"\\]|\\.)*)"'


def modules():
    """What is shown to people; translations are no modules."""
    return [path for path in sorted(PACKAGE.glob("*.js")) if not path.name.startswith("po.")]


def messages():
    """Every message, with its plural where it has one."""
    found = {}
    for path in modules():
        source = path.read_text()
        for text in re.findall(rf"\b_\({TEXT}\)", source):
            found[json.loads(f'"{text}"')] = None
        for one, many in re.findall(rf"\bngettext\({TEXT},\s*{TEXT}", source):
            found[json.loads(f'"{one}"')] = json.loads(f'"{many}"')
    found[json.loads((PACKAGE / "manifest.json").read_text())["menu"]["index"]["label"]] = None
    return found


def translations(language):
    """A language's file as Cockpit loads it."""
    program = "let all; globalThis.cockpit = {locale(one) { all = one; }}; eval(process.argv[1]); all[''] = {language: all[''].language, " \
              "many: all['']['plural-forms'](2), one: all['']['plural-forms'](1)}; console.log(JSON.stringify(all))"
    source = (PACKAGE / f"po.{language}.js").read_text()
    return json.loads(subprocess.run(["node", "-e", program, source], capture_output=True, text=True, check=True).stdout)
