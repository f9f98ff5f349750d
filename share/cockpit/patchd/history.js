// All jobs, newest first; or one folder's.

import { commandLine } from "./command-line.js";
import { h } from "./dom.js";
import { label, operationName } from "./label.js";
import { alert } from "./alert.js";
import { patchctl } from "./patchctl.js";
import { table } from "./table.js";
import { Refresh } from "./watch.js";
import { _, format, time } from "./words.js";

/** Rows that are put on the page at once. */
const page = 100;

export class History {
    constructor(host, notices, [endpoint, folder]) {
        this.host = host;
        this.target = endpoint ? `${endpoint}/${folder}` : "";
        this.rows = null;
        this.problem = "";
        this.filter = "";
        this.shown = page;
    }

    get title() { return _("History"); }

    start(changed) {
        this.changed = changed;
        // The host hears of each change of a job or folder.
        this.refresh = new Refresh(() => this.read(), 1000);
        this.ending = this.host.listen(() => this.refresh.hint());
        this.refresh.hint();
    }

    stop() {
        this.ending();
        this.refresh.close();
    }

    get command() { return this.target ? ["history", this.target] : ["jobs"]; }

    async read() {
        try {
            const outcome = await patchctl([...this.command, "--json"], this.host.access);
            const answer = outcome.expect(0).json();
            this.rows = this.target
                ? answer.folders.flatMap((folder) => folder.entries.map((entry) => ({
                    job: entry.job, operation: entry.operation, update: entry.update, endpoint: this.target,
                    versions: `${entry.from ?? _("unknown")} → ${entry.to ?? _("unknown")}`, state: entry.state, at: entry.at, message: "",
                }))).reverse()
                : answer.jobs.map((job) => ({
                    job: job.job, operation: job.operation, update: job.update, endpoint: job.endpoint, versions: job.version,
                    state: job.state, at: job.finishedAt ?? job.startedAt ?? job.createdAt, message: job.message,
                })).reverse();
            this.problem = "";
        } catch (error) {
            this.problem = error.message;
        }
        this.changed();
    }

    render() {
        const title = h("h2", null, this.target ? format(_("History of $0"), this.target) : this.title);
        if (this.problem) return [title, alert("info", _("The history is not shown."), { text: this.problem, command: this.command })];
        if (!this.rows) return [title];
        const wanted = this.filter.trim().toLowerCase();
        const fitting = this.rows.filter((row) => !wanted
            || `${row.job} ${row.update} ${row.endpoint} ${row.versions} ${row.state} ${row.message}`.toLowerCase().includes(wanted));
        return [
            title,
            commandLine(this.command),
            h("div", { class: "tools" }, h("label", null, _("Filter jobs"), " ", h("input", {
                type: "search", value: this.filter,
                oninput: (event) => {
                    this.filter = event.target.value;
                    this.shown = page;
                    this.changed();
                },
            }))),
            table(_("Jobs"),
                [_("Job"), _("Operation"), _("Update"), _("Endpoint"), _("Version"), _("Status"), _("Time"), _("Message")],
                fitting.slice(0, this.shown).map((row) => ({
                    key: `${row.job}`,
                    cells: [
                        h("a", { href: `#/job/${row.job}` }, String(row.job)),
                        operationName(row.operation), row.update, row.endpoint, row.versions, label(row.state), time(row.at), row.message,
                    ],
                })), { said: [7] }),
            fitting.length > this.shown ? h("button", {
                type: "button", class: "secondary",
                onclick: () => {
                    this.shown += page;
                    this.changed();
                },
            }, format(_("Show $0 more"), Math.min(page, fitting.length - this.shown))) : null,
        ];
    }
}
