// patchctl, run as the user who is logged in. Every change and every answer of the console is one of its commands.

/* global cockpit */

import { _, format } from "./words.js";

/** What a command came to: its exit code, output, and what it said on standard error. */
export class Outcome {
    constructor(code, output, notes) {
        this.code = code;
        this.output = output;
        this.notes = notes.trim().replace(/^patchctl: /gm, "");
    }

    /** The JSON that it printed. */
    json() {
        try {
            return JSON.parse(this.output);
        } catch {
            throw new Error(this.notes || _("patchctl gave no answer that can be read."));
        }
    }

    /** Throws what it said, unless it ended with one of these codes. */
    expect(...codes) {
        if (!codes.includes(this.code))
            throw new Error(this.notes || format(_("patchctl ended with exit code $0."), this.code));
        return this;
    }
}

/** Runs patchctl to its end. */
export function patchctl(words, access) {
    return new Promise((resolve, reject) => {
        cockpit.spawn(["patchctl", ...words], {
            err: "message", environ: ["NO_COLOR=1", "LC_ALL=C.UTF-8"], ...access.options,
        }).then(
            (output, notes) => resolve(new Outcome(0, output, notes ?? "")),
            (error, output) => {
                if (typeof error.exit_status === "number")
                    resolve(new Outcome(error.exit_status, output ?? "", error.message ?? ""));
                else reject(new Error(reason(error)));
            });
    });
}

function reason(error) {
    switch (error.problem) {
    case "not-found": return _("patchctl is not installed on this host.");
    case "access-denied": return _("You may not run patchctl on this host.");
    case "disconnected": case "terminated": return _("The connection to the host was cut.");
    default: return error.message || error.problem || String(error);
    }
}

/** The command as one would type it. */
export function commandText(words) {
    return ["patchctl", ...words].map(quoted).join(" ");
}

function quoted(word) {
    const text = String(word);
    return /^[A-Za-z0-9_\-./=:@,+]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
