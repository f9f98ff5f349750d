"""Update archives as a vendor packs them."""

import io
import json
import os
import zipfile

HOSTILE = "TRT/<img src=x onerror=document.title=1>.src"
"""A file's name that would run if it became markup."""


def pack(version="8.0.2", dependency="8.0.1", name="X3V8_P2", sql="ALTER TABLE employee ADD COLUMN leave INTEGER NOT NULL DEFAULT 25;\n",
         back="ALTER TABLE employee DROP COLUMN leave;\n", script="", description=None, filler=0):
    manifest = {
        "name": name, "version": version, "dependency": dependency,
        "description": description or f"Brings the payroll from {dependency} to {version}",
        "patches": [
            {"name": name, "type": "$ROOT", "mandatory": True, "path": "base", "description": "Mandatory maintenance"},
            {"name": f"{name}BIS", "type": "HRM", "mandatory": False, "path": "more", "description": "Optional reports"},
        ],
    }
    files = {
        "update.json": json.dumps(manifest),
        "base/TRT/WPAYCALC.src": f"calculation {version}\n",
        f"base/{HOSTILE}": "harmless\n",
        f"base/upgrades/{version}_leave.sql": sql,
        f"base/downgrades/{version}_leave.sql": back,
        "more/REPORT/LEAVE.csv": "number;leave\n",
    }
    if script:
        files[f"base/upgrades/{version}.sh"] = script
        files[f"base/downgrades/{version}.sh"] = "#!/bin/sh\nexit 0\n"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        if filler:
            with archive.open(zipfile.ZipInfo("base/TRT/FILLER.dat"), "w") as file:
                for _ in range(filler):
                    file.write(os.urandom(1 << 20))
    return target.getvalue()
