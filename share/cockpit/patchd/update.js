// An update from its archive: dropped, checked, shown, chosen, planned, tested, applied.

/* global cockpit */

import { alert } from "./alert.js";
import { bar, total } from "./bar.js";
import { Choice } from "./choice.js";
import { commandLine } from "./command-line.js";
import { confirm, list } from "./confirm.js";
import { announce, h } from "./dom.js";
import { label } from "./label.js";
import { patchctl } from "./patchctl.js";
import { planView } from "./plan-view.js";
import { branch, table } from "./table.js";
import { inOrder } from "./tree.js";
import { Upload } from "./upload.js";
import { _, format, ngettext, size, time } from "./words.js";

export class Update {
    constructor(host, notices) {
        this.host = host;
        this.notices = notices;
        this.forget();
    }

    get title() { return _("New update"); }

    start(changed) { this.changed = changed; }

    stop() { this.upload?.close(); }

    forget() {
        this.upload?.close();
        this.upload = null;
        this.lint = null;
        this.choice = null;
        this.plans = null;
        this.work = "";
        this.problem = "";
    }

    /** The endpoints that take the archive, as far as this user can know. */
    get endpoints() {
        const all = this.host.status?.endpoints ?? [];
        const named = this.lint?.update?.endpoints ?? [];
        return named.length ? all.filter((endpoint) => named.includes(endpoint.endpoint)) : all;
    }

    render() {
        return [
            h("h2", null, this.title),
            this.lint || this.upload ? this.file() : this.dropZone(),
            this.problem ? alert("danger", _("The archive cannot be used."), { text: this.problem, live: true }) : null,
            this.lint ? this.checked() : null,
            this.lint?.ok && this.lint.update ? [this.description(), this.patches(), this.folders(), this.operations()] : null,
            this.plans ? this.plans.map((plan) => planView(plan)) : null,
        ];
    }

    dropZone() {
        return h("label", {
            class: "drop", "data-key": "drop",
            ondragover(event) {
                event.preventDefault();
                this.classList.add("over");
            },
            ondragleave() { this.classList.remove("over"); },
            ondrop: (event) => {
                event.preventDefault();
                event.currentTarget.classList.remove("over");
                if (event.dataTransfer.files.length) this.take(event.dataTransfer.files[0]);
            },
        },
        h("strong", null, _("Drop an update archive here, or choose a file.")),
        h("span", { class: "quiet" }, _("Nothing is changed before you apply it.")),
        h("input", {
            type: "file", accept: ".zip,application/zip", "aria-label": _("Update archive"),
            onchange: (event) => { if (event.target.files.length) this.take(event.target.files[0]); },
        }));
    }

    file() {
        const { file, written, path } = this.upload;
        return h("section", { class: "card", "data-key": "file" },
            h("h3", null, file.name),
            this.lint ? h("p", { class: "quiet" }, size(file.size)) : [
                h("div", { class: "progress" },
                    h("progress", { max: file.size || 1, value: written, "aria-label": _("Upload") }),
                    h("span", { class: "count" }, format(_("$0 of $1"), size(written), size(file.size)))),
                path && written >= file.size ? h("p", { role: "status" }, _("The archive is being checked …")) : null,
            ],
            h("div", { class: "buttons" }, h("button", {
                type: "button", class: "secondary",
                onclick: () => {
                    this.forget();
                    this.notices.clear();
                    this.changed();
                },
            }, this.lint ? _("Choose another archive") : _("Cancel the upload"))));
    }

    async take(file) {
        this.forget();
        this.notices.clear();
        const upload = new Upload(file, this.host.access);
        try {
            // 4 GiB of something else need not travel before that is said.
            const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
            if (start[0] !== 0x50 || start[1] !== 0x4b) throw new Error(format(_("$0 is no zip archive."), file.name));
            this.upload = upload;
            this.changed();
            await upload.send(() => this.changed());
            this.changed();
            const outcome = await patchctl(["lint", upload.path, "--json"], this.host.access);
            if (this.upload !== upload) return;
            this.lint = outcome.expect(0, 4).json();
            if (this.lint.update) this.choice = new Choice(this.lint.update, this.endpoints);
            announce(this.lint.ok ? _("The archive is fine.") : _("The archive is refused."));
        } catch (error) {
            if (this.upload && this.upload !== upload) return;
            // The user cancelled it.
            if (!this.upload && upload.isCut) return;
            this.forget();
            this.problem = error.message;
        }
        this.changed();
    }

    checked() {
        return h("section", { "data-key": "checked" },
            this.lint.ok
                ? h("p", { class: "fine" }, _("The archive is fine."))
                : alert("danger", _("The archive is refused."), { live: true }),
            this.lint.findings.map((finding) => alert(finding.level === "error" ? "danger" : "warning", finding.code, {
                text: finding.place ? `${finding.place}: ${finding.message}` : finding.message,
            })),
            commandLine(["lint", this.upload.name]));
    }

    description() {
        const { update } = this.lint;
        return h("section", { class: "card", "data-key": "description" },
            h("h3", null, update.name),
            h("dl", null,
                h("dt", null, _("Version")), h("dd", null, update.version),
                h("dt", null, _("Dependency")), h("dd", null, update.dependency),
                h("dt", null, _("Description")), h("dd", { class: "said" }, update.description || "–")));
    }

    patches() {
        return h("section", { "data-key": "patches" },
            h("h3", null, _("Patches")),
            table(_("Patches"), [_("Apply"), _("Name"), _("Description"), _("Type"), _("Mandatory")],
                this.lint.update.patches.map((patch) => ({
                    key: patch.name,
                    cells: [
                        h("input", {
                            type: "checkbox", checked: this.choice.patches.get(patch.name), disabled: patch.mandatory,
                            "aria-label": format(_("Apply patch $0"), patch.name),
                            onchange: (event) => this.choose(() => this.choice.switchPatch(patch.name, event.target.checked)),
                        }),
                        patch.name, patch.description || "–", patch.type, patch.mandatory ? _("yes") : _("no"),
                    ],
                })), { header: 1, said: [2] }));
    }

    folders() {
        const { endpoints } = this;
        if (endpoints.length === 0) return alert("danger", _("No endpoint of this host takes this update."));
        return h("section", { "data-key": "folders" },
            h("h3", null, _("Apply to")),
            endpoints.map((endpoint) => this.grid(endpoint)),
            this.leftOut().length
                ? alert("warning", _("Folders that are left out cannot be used until they have the version of their reference folder:"), { text: this.leftOut().join(", ") })
                : null);
    }

    leftOut() {
        return this.choice.chosen(this.endpoints).flatMap((endpoint) =>
            endpoint.folders.filter((folder) => !this.choice.has(endpoint.endpoint, folder.folder)).map((folder) => folder.folder));
    }

    grid(endpoint) {
        const isOn = this.choice.endpoints.get(endpoint.endpoint) ?? false;
        return h("div", { class: "card", "data-key": `grid-${endpoint.endpoint}` },
            h("label", { class: "check" }, h("input", {
                type: "checkbox", checked: isOn, "aria-label": format(_("Apply to endpoint $0"), endpoint.endpoint),
                onchange: (event) => this.choose(() => this.choice.switchEndpoint(endpoint.endpoint, event.target.checked)),
            }), " ", h("strong", null, endpoint.endpoint)),
            h("details", { "data-key": "folders", open: true }, h("summary", null,
                format(ngettext("$0 folder", "$0 folders", endpoint.folders.length), endpoint.folders.length)),
            table(format(_("Folders of $0"), endpoint.endpoint), [_("Folder"), _("Version"), _("Last update"), _("Status"), _("Trace")],
                inOrder(endpoint.folders).map(({ folder, depth }) => ({
                    key: folder.folder,
                    cells: [
                        branch(depth, h("label", null, h("input", {
                            type: "checkbox", disabled: !isOn, checked: this.choice.has(endpoint.endpoint, folder.folder),
                            onchange: (event) => this.choose(() => this.choice.switchFolder(endpoint, folder.folder, event.target.checked)),
                        }), " ", folder.folder)),
                        folder.version ?? _("unknown"),
                        folder.job > 0 ? time(folder.updatedAt) : "–",
                        [label(folder.status), folder.message ? h("div", { class: "said" }, folder.message) : null],
                        folder.trace
                            ? h("a", { href: `#/job/${folder.job}/${folder.folder}`, "aria-label": format(_("Trace of $0"), folder.folder) }, _("Trace"))
                            : "–",
                    ],
                })))));
    }

    choose(change) {
        change();
        // What was planned is not what is chosen now.
        this.plans = null;
        this.changed();
    }

    operations() {
        const chosen = this.choice.chosen(this.endpoints);
        const isIdle = !this.work && chosen.length > 0;
        const commands = (word) => chosen.map((endpoint) => [word, this.upload.name, ...this.choice.options(endpoint)]);
        return h("section", { "data-key": "operations" },
            h("div", { class: "buttons" },
                this.host.access.isAdmin
                    ? h("button", { type: "button", class: "secondary", disabled: !isIdle, onclick: () => this.plan() }, _("Show the plan"))
                    : null,
                h("button", { type: "button", class: "secondary", disabled: !isIdle, onclick: () => this.test() }, _("Test")),
                h("button", { type: "button", class: "primary", disabled: !isIdle, onclick: () => this.apply() }, _("Apply …"))),
            h("details", null, h("summary", null, _("The commands for this")),
                [...(this.host.access.isAdmin ? ["plan"] : []), "test", "submit"].map((word) => commands(word).map((words) => commandLine(words)))),
            this.work ? h("div", { class: "card", role: "status" }, h("p", null, this.work), this.progress()) : null);
    }

    /** How far the daemon is with what was asked for. */
    progress() {
        const own = (this.host.status?.jobs ?? []).filter((job) =>
            job.update === this.lint.update.name && job.version === this.lint.update.version && job.operation === "test"
            && ["queued", "waiting", "running"].includes(job.state));
        return own.map((job) => h("div", null,
            h("a", { href: `#/job/${job.job}` }, format(_("Job $0"), job.job)), " ", label(job.state),
            bar(total(job), format(_("Steps of job $0"), job.job))));
    }

    /** Only root may look into folders of several owners; everybody else asks the daemon, whose test shows the plan, too. */
    plan() { return this.ask("plan", _("The update is being planned …"), this.host.access.asAdmin); }

    test() { return this.ask("test", _("The daemon is testing the update …"), this.host.access); }

    async ask(word, work, access) {
        const chosen = this.choice.chosen(this.endpoints);
        this.notices.clear();
        this.plans = null;
        this.work = work;
        this.changed();
        const plans = [];
        try {
            for (const endpoint of chosen) {
                const words = [word, this.upload.path, ...this.choice.options(endpoint), "--json"];
                const outcome = await patchctl(words, access);
                if (outcome.output.trim()) plans.push(outcome.json());
                else outcome.expect(-1);
            }
            this.plans = plans;
            this.conclude(word);
        } catch (error) {
            this.plans = plans.length ? plans : null;
            this.notices.add("danger", word === "test" ? _("The test did not end.") : _("The plan was not made."), error.message);
        }
        this.work = "";
        this.changed();
    }

    conclude(word) {
        const endpoints = this.plans.flatMap((plan) => plan.endpoints);
        const faults = endpoints.reduce((sum, endpoint) => sum + endpoint.faults.length, 0);
        const folders = endpoints.flatMap((endpoint) => endpoint.folders).filter((folder) => folder.state === "pending").length;
        if (faults)
            this.notices.add("danger", format(ngettext("$0 fault keeps it from being applied.", "$0 faults keep it from being applied.", faults), faults));
        else if (folders === 0) this.notices.add("info", _("Every folder is up to date: there is nothing to do."));
        else {
            const found = format(ngettext("It would be applied to $0 folder.", "It would be applied to $0 folders.", folders), folders);
            this.notices.add("success", word === "test" ? _("The test went well.") : _("The plan has no fault."), found);
        }
    }

    async apply() {
        const chosen = this.choice.chosen(this.endpoints);
        const { update } = this.lint;
        const touched = chosen.flatMap((endpoint) => inOrder(endpoint.folders)
            .filter(({ folder }) => this.choice.has(endpoint.endpoint, folder.folder))
            .map(({ folder }) => `${endpoint.endpoint}/${folder.folder}: ${folder.version ?? _("unknown")} → ${update.version}`));
        const left = this.leftOut();
        const isConfirmed = await confirm(format(_("Apply $0 $1?"), update.name, update.version), () => [
            h("p", null, _("Applications are asked to leave these folders, and locked out until they are updated:")),
            list(touched),
            left.length ? h("p", null, format(_("Left out, and unusable afterwards: $0"), left.join(", "))) : null,
        ], () => ["submit", this.upload.name, ...this.choice.options(chosen[0])], { verb: _("Apply"), isDangerous: true });
        if (!isConfirmed) return;
        this.notices.clear();
        this.work = _("The update is handed to the daemon …");
        this.changed();
        const numbers = [];
        let isWhole = true;
        for (const endpoint of chosen) {
            const words = ["submit", this.upload.path, ...this.choice.options(endpoint)];
            const outcome = await this.notices.command(words, this.host.access, _("The update was handed to the daemon."));
            if (!outcome || outcome.code !== 0) {
                isWhole = false;
                break;
            }
            for (const [, number] of outcome.output.matchAll(/^job (\d+) on /gm)) numbers.push(number);
        }
        this.work = "";
        this.changed();
        if (isWhole && numbers.length) cockpit.location.go(numbers.length === 1 ? ["job", numbers[0]] : []);
    }
}
