// A folder's trace in a job: it follows while the job runs.

/* global cockpit */

import * as directories from "./directories.js";
import { printable } from "./dom.js";
import { _ } from "./words.js";

/** Of a longer trace only the end is shown; `patchctl trace` shows all. */
const most = 1 << 20;
const lines = 5000;

export class TraceLog {
    constructor(job, folder, access) {
        this.element = document.createElement("pre");
        this.element.tabIndex = 0;
        this.element.className = "log";
        this.element.setAttribute("role", "log");
        this.element.setAttribute("aria-label", _("Trace"));
        this.rest = "";
        this.decoder = new TextDecoder();
        // tail waits for the kernel's events, also for a file that is not there yet.
        this.process = cockpit.spawn(
            ["tail", `--bytes=${most}`, "--follow=name", "--retry", directories.trace(job, folder)],
            { err: "ignore", binary: true, ...access.options });
        this.process.stream((bytes) => this.take(bytes));
        this.process.catch(() => {});
    }

    take(bytes) {
        const all = (this.rest + this.decoder.decode(bytes, { stream: true })).split("\n");
        this.rest = all.pop();
        const isAtEnd = this.element.scrollTop + this.element.clientHeight >= this.element.scrollHeight - 20;
        for (const line of all) {
            const text = readable(line);
            if (text === null) continue;
            const row = document.createElement("span");
            row.className = text.kind;
            row.textContent = `${text.line}\n`;
            this.element.append(row);
        }
        while (this.element.childElementCount > lines) this.element.firstChild.remove();
        if (isAtEnd) this.element.scrollTop = this.element.scrollHeight;
    }

    close() { this.process.close(); }
}

/** The step at which a folder stopped: the last that began in its trace; empty where none did. */
export async function stoppedStep(job, folder, access) {
    const end = await cockpit.spawn(["tail", "--bytes=262144", directories.trace(job, folder)], { err: "ignore", ...access.options });
    for (const line of end.split("\n").reverse()) {
        try {
            const event = JSON.parse(line);
            if (event.event === "started") return event.step ?? "";
        } catch {
            // The first line may be half of one, the last is empty.
        }
    }
    return "";
}

function readable(line) {
    let event;
    try {
        event = JSON.parse(line);
    } catch {
        // The first line of what is shown may be half of one.
        return null;
    }
    const at = new Date(event.at).toLocaleTimeString();
    const text = printable(event.text ?? "");
    const step = printable(event.step ?? "");
    switch (event.event) {
    case "started": return { kind: "started", line: `${at}  ▸ ${step}` };
    case "finished": return { kind: "finished", line: `${at}  ✓ ${step}${text ? ` (${text})` : ""}` };
    case "output": return { kind: "output", line: text.split("\n").map((part) => `${at}    | ${part}`).join("\n") };
    default: return { kind: "message", line: `${at}  ${step ? `${step}: ` : ""}${text}` };
    }
}
