// One endpoint's folders as a tree: version, status, why and what next, last update, downtime, trace.

/* global cockpit */

import { commandLine } from "./command-line.js";
import { confirm, list } from "./confirm.js";
import * as directories from "./directories.js";
import { Downtimes } from "./downtimes.js";
import { h } from "./dom.js";
import { label, stateName } from "./label.js";
import { rollback } from "./rollback.js";
import { branch, table } from "./table.js";
import { inOrder } from "./tree.js";
import { _, duration, format, ngettext, time } from "./words.js";

export class Endpoint {
    constructor(host, notices, [name]) {
        this.host = host;
        this.notices = notices;
        this.name = name;
        this.filter = "";
        this.state = "";
        /** The jobs that last changed these folders, by number; null for one that cannot be read. */
        this.jobs = new Map();
    }

    get title() { return this.name; }

    start(changed) {
        this.changed = changed;
        this.downtimes = new Downtimes(changed);
    }

    stop() { this.downtimes.close(); }

    render() {
        const endpoint = this.host.endpoint(this.name);
        if (!this.host.status) return [];
        if (!endpoint) return [h("h2", null, this.name), h("p", null, _("There is no such endpoint on this host."))];
        const shown = inOrder(endpoint.folders).filter(({ folder }) => this.fits(folder));
        this.readJobs(endpoint.folders);
        return [
            h("h2", null, format(_("Endpoint $0"), this.name)),
            commandLine(["status", this.name]),
            h("div", { class: "tools" },
                h("label", null, _("Filter folders"), " ", h("input", {
                    type: "search", value: this.filter,
                    oninput: (event) => this.choose({ filter: event.target.value }),
                })),
                h("label", null, _("Status"), " ", h("select", {
                    value: this.state, onchange: (event) => this.choose({ state: event.target.value }),
                }, h("option", { value: "" }, _("all")),
                ["current", "updating", "failed", "reverting", "behind"].map((state) =>
                    h("option", { value: state }, stateName(state))))),
                h("span", { class: "quiet", role: "status" },
                    format(ngettext("$0 of $1 folder", "$0 of $1 folders", endpoint.folders.length), shown.length, endpoint.folders.length))),
            table(_("Folders"), [_("Folder"), _("Version"), _("Status"), _("Last update"), _("Downtime"), _("Trace"), _("Actions")],
                shown.map(({ folder, depth }) => ({ key: folder.folder, cells: this.cells(endpoint, folder, depth) }))),
        ];
    }

    choose(chosen) {
        Object.assign(this, chosen);
        this.changed();
    }

    fits(folder) {
        const wanted = this.filter.trim().toLowerCase();
        return (!this.state || folder.status === this.state)
            && (!wanted || [folder.folder, folder.version ?? "", folder.update, folder.reason, folder.message]
                .some((text) => text.toLowerCase().includes(wanted)));
    }

    cells(endpoint, folder, depth) {
        const name = `${this.name}/${folder.folder}`;
        return [
            branch(depth, h("span", { class: "unseen" }, format(_("Level $0"), depth + 1), " "),
                h("a", { href: `#/history/${name}` }, folder.folder)),
            folder.version ?? _("unknown"),
            [label(folder.status), folder.diverged ? [" ", label("diverged")] : null,
                folder.gone ? h("div", { class: "quiet" }, _("no longer configured")) : null,
                folder.reason ? h("div", { class: "said" }, folder.reason) : null,
                folder.next ? h("code", { class: "next" }, folder.next) : null],
            folder.job > 0
                ? [h("a", { href: `#/job/${folder.job}` }, format(_("Job $0"), folder.job)), h("div", { class: "quiet" }, time(folder.updatedAt))]
                : "–",
            this.downtime(folder) || "–",
            folder.trace
                ? h("a", { href: `#/job/${folder.job}/${folder.folder}`, "aria-label": format(_("Trace of $0"), folder.folder) }, _("Trace"))
                : "–",
            this.actions(endpoint, folder, name),
        ];
    }

    actions(endpoint, folder, name) {
        if (folder.status === "behind")
            return h("button", {
                type: "button", class: "link", "aria-label": format(_("Catch up $0"), folder.folder), onclick: () => this.catchUp(name),
            }, _("Catch up"));
        if (folder.job > 0 && ["current", "failed"].includes(folder.status))
            return h("button", {
                type: "button", class: "link", "aria-label": format(_("Roll back $0"), folder.folder),
                onclick: () => rollback(this.host, this.notices, endpoint, folder),
            }, _("Roll back"));
        return "–";
    }

    async catchUp(name) {
        const command = ["catchup", name];
        const isConfirmed = await confirm(
            format(_("Bring $0 up to its reference folder?"), name),
            () => [h("p", null, _("The kept updates that it has missed are applied, in order. Its applications must leave while that happens.")), list([name])],
            () => command, { verb: _("Catch up") });
        if (isConfirmed) await this.notices.command(command, this.host.access, _("The folder catches up."));
    }

    /** As the daemon measured it; else what the job took until the folder was done, which is no less. */
    downtime(folder) {
        const measured = this.downtimes.seconds(this.name, folder.folder);
        if (measured !== null) return duration(measured);
        const job = this.jobs.get(folder.job);
        if (!job?.startedAt || job.folders?.[folder.folder]?.state !== "done") return "";
        return `≤ ${duration((new Date(folder.updatedAt) - new Date(job.startedAt)) / 1000)}`;
    }

    readJobs(folders) {
        if (!this.host.seesJobs) return;
        for (const number of new Set(folders.map((folder) => folder.job))) {
            if (!(number > 0) || this.jobs.has(number)) continue;
            this.jobs.set(number, null);
            cockpit.file(`${directories.job(number)}/job.json`, { syntax: JSON, max_read_size: 64 << 20, ...this.host.access.options })
                .read()
                .then((job) => {
                    // One that has not ended is read again with the next change.
                    if (["done", "failed", "cancelled"].includes(job?.state)) this.jobs.set(number, job);
                    else this.jobs.delete(number);
                    this.changed?.();
                }, () => {});
        }
    }
}
