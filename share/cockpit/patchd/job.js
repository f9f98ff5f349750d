// One job, live: its folders with bars and steps, the trace that follows, and what can be done with it.

/* global cockpit */

import { alert } from "./alert.js";
import { bar, total } from "./bar.js";
import { commandLine } from "./command-line.js";
import { confirm, list } from "./confirm.js";
import * as directories from "./directories.js";
import { announce, h } from "./dom.js";
import { label, operationName, stateName } from "./label.js";
import { patchctl } from "./patchctl.js";
import { planView } from "./plan-view.js";
import { rollbackJob } from "./rollback.js";
import { TraceLog, stoppedStep } from "./trace-log.js";
import { branch, table } from "./table.js";
import { inOrder } from "./tree.js";
import { _, format, time } from "./words.js";

export class Job {
    constructor(host, notices, [number, folder]) {
        this.host = host;
        this.notices = notices;
        this.number = number;
        this.folder = folder ?? "";
        this.job = null;
        this.problem = "";
        this.plan = null;
        this.planProblem = "";
        this.step = "";
    }

    get title() { return format(_("Job $0"), this.number); }

    start(changed) {
        this.changed = changed;
        if (!/^[0-9]{1,9}$/.test(this.number)) {
            this.problem = _("There is no such job.");
            return;
        }
        this.file = cockpit.file(`${directories.job(this.number)}/job.json`,
            { syntax: JSON, max_read_size: 64 << 20, ...this.host.access.options });
        this.file.watch((job, _tag, error) => {
            if (job) this.take(job);
            else this.problem = this.why(error);
            this.changed();
        });
        this.follow();
    }

    stop() {
        this.file?.close();
        this.log?.close();
    }

    take(job) {
        if (this.job && this.job.state !== job.state) announce(`${this.title}: ${stateName(job.state)}`);
        // What waits for approval is the plan: it is shown without being asked for.
        const isNew = job.state === "pendingApproval" && this.job?.approval?.digest !== job.approval?.digest;
        this.job = job;
        this.problem = "";
        if (isNew || (job.state === "pendingApproval" && !this.plan)) this.readPlan();
    }

    why(error) {
        if (error?.problem === "access-denied") return format(_("Jobs are for members of group $0."), "patchd");
        return error ? error.message : _("There is no such job.");
    }

    follow() {
        this.log?.close();
        this.log = this.folder ? new TraceLog(this.number, this.folder, this.host.access) : null;
    }

    render() {
        const { job } = this;
        if (this.problem) return [h("h2", null, this.title), alert("danger", _("The job cannot be shown."), { text: this.problem })];
        if (!job) return [h("h2", null, this.title)];
        return [
            h("h2", null, this.title, " ", label(job.state)),
            commandLine(["show", this.number]),
            this.facts(job),
            this.actions(job),
            this.folders(job),
            this.trace(job),
            this.planned(job),
        ];
    }

    facts(job) {
        const rows = [
            [_("Operation"), `${operationName(job.operation)}: ${job.update} ${job.version}`],
            [_("Endpoint"), h("a", { href: `#/endpoint/${job.endpoint}` }, job.endpoint)],
            [_("Waits for"), job.state === "waiting" ? job.waitingFor : ""],
            [_("Signed by"), job.signer],
            [_("Approved by"), job.approval?.by?.name],
            [_("Archive (sha256)"), h("code", { class: "sum" }, job.sha256)],
            [_("Taken"), time(job.createdAt)],
            [_("Started"), time(job.startedAt)],
            [_("Ended"), time(job.finishedAt)],
        ];
        return h("section", { class: "card", "data-key": "facts" },
            job.message ? alert(job.state === "failed" ? "danger" : "info", job.code || stateName(job.state), { text: job.message }) : null,
            Object.entries(job.units ?? {}).map(([unit, why]) => alert("danger", format(_("$0 does not come up again"), unit), { text: why })),
            (job.warnings ?? []).map((text) => alert("warning", _("Note"), { text })),
            h("dl", null, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
            bar(total(job), format(_("Steps of job $0"), job.job)));
    }

    actions(job) {
        const isOpen = ["queued", "waiting", "pendingApproval", "running"].includes(job.state);
        const isPausedCanary = job.state === "waiting" && /^canary/.test(job.waitingFor);
        const button = (name, kind, act) => h("button", { type: "button", class: kind, onclick: () => act.call(this, job) }, name);
        return h("section", { class: "buttons", "data-key": "actions", "aria-label": _("Actions") },
            job.state === "pendingApproval" || isPausedCanary ? button(_("Approve …"), "primary", this.approve) : null,
            job.state === "pendingApproval" ? button(_("Decline …"), "danger", this.decline) : null,
            job.state === "failed" && job.operation !== "test" ? button(_("Resume …"), "primary", this.resume) : null,
            isOpen ? button(_("Cancel the job …"), "danger", this.cancel) : null,
            job.operation === "apply" && ["done", "failed", "cancelled"].includes(job.state) && job.startedAt
                ? button(_("Roll back the job …"), "danger", () => rollbackJob(this.host, this.notices, job)) : null);
    }

    /** The job's folders in the order of the endpoint's tree. */
    ordered(job) {
        const known = this.host.endpoint(job.endpoint)?.folders ?? [];
        const ordered = inOrder(known).filter(({ folder }) => job.folders[folder.folder])
            .map(({ folder, depth }) => ({ name: folder.folder, depth }));
        const seen = new Set(ordered.map(({ name }) => name));
        const others = Object.keys(job.folders).filter((name) => !seen.has(name)).sort().map((name) => ({ name, depth: 0 }));
        return [...ordered, ...others];
    }

    folders(job) {
        if (Object.keys(job.folders).length === 0) return h("p", { class: "quiet" }, _("It is not planned yet."));
        return h("section", { "data-key": "folders" },
            table(_("Folders"), [_("Folder"), _("Status"), _("Steps"), _("Message"), _("Trace"), _("Actions")],
                this.ordered(job).map(({ name, depth }) => ({ key: name, cells: this.cells(job, name, depth) })), { said: [3] }));
    }

    cells(job, name, depth) {
        const folder = job.folders[name];
        const hasBegun = !["pending", "excluded", "upToDate"].includes(folder.state);
        return [
            branch(depth, name),
            label(folder.reverting && folder.state === "running" ? "reverting" : folder.state),
            [bar(folder.progress, format(_("Steps of $0"), name)),
                folder.progress?.step && ["running", "failed"].includes(folder.state) ? h("code", { class: "next" }, folder.progress.step) : null],
            [folder.code ? `${folder.code}: ` : "", folder.message],
            hasBegun
                ? h("a", {
                    href: `#/job/${this.number}/${name}`, "aria-label": format(_("Trace of $0"), name),
                    "aria-current": name === this.folder ? "true" : null,
                }, _("Trace"))
                : "–",
            job.state === "failed" && folder.state === "failed" ? this.ways(job, name) : "–",
        ];
    }

    /** For who knows what was done by hand. */
    ways(job, name) {
        return [
            h("button", {
                type: "button", class: "link", "aria-label": format(_("Assume the step of $0 done …"), name), onclick: () => this.assumeDone(job, name),
            }, _("Assume done …")),
            h("button", {
                type: "button", class: "link", "aria-label": format(_("Skip $0 …"), name), onclick: () => this.skip(job, name),
            }, _("Skip …")),
        ];
    }

    trace(job) {
        if (!this.log || !job.folders[this.folder]) return null;
        return h("section", { "data-key": `trace-${this.folder}` },
            h("h3", null, format(_("Trace of $0"), this.folder)),
            commandLine(["trace", this.number, this.folder]),
            h("div", { own: this.log.element, "data-key": "log" }));
    }

    planned(job) {
        return h("section", { "data-key": "plan" },
            h("h3", null, job.state === "pendingApproval" ? _("What is approved") : _("Plan")),
            commandLine(["show", this.number, "--plan"]),
            this.planProblem ? h("p", { class: "quiet" }, this.planProblem) : null,
            this.plan ? planView(this.plan) : h("button", { type: "button", class: "secondary", onclick: () => this.readPlan() }, _("Show the plan")));
    }

    async readPlan() {
        try {
            const outcome = await patchctl(["show", this.number, "--plan", "--json"], this.host.access);
            this.plan = outcome.expect(0).json();
            this.planProblem = "";
        } catch (error) {
            this.planProblem = error.message;
        }
        this.changed();
    }

    command(words, title) { return this.notices.command(words, this.host.access, title); }

    async approve(job) {
        const words = ["approve", this.number, "--sha256", job.sha256];
        const folders = Object.entries(job.folders).filter(([, folder]) => ["pending", "running"].includes(folder.state))
            .map(([name, folder]) => `${name}: ${folder.from ?? _("unknown")} → ${folder.to ?? job.version}`);
        const unusable = this.plan?.endpoints.flatMap((endpoint) => endpoint.unusable) ?? [];
        const isConfirmed = await confirm(format(_("Approve $0 $1 on $2?"), job.update, job.version, job.endpoint), () => [
            h("p", null, _("You approve this archive and the plan that is shown. Should the plan be another one when its turn comes, it waits for approval again.")),
            h("dl", null, h("dt", null, _("Archive (sha256)")), h("dd", null, h("code", { class: "sum" }, job.sha256))),
            list(folders),
            unusable.length ? h("p", null, format(_("Unusable afterwards: $0"), unusable.join(", "))) : null,
        ], () => words, { verb: _("Approve") });
        if (isConfirmed) await this.command(words, _("The job is approved."));
    }

    async decline(job) {
        const words = ["decline", this.number];
        const isConfirmed = await confirm(format(_("Decline job $0?"), this.number),
            () => [h("p", null, format(_("$0 $1 is not applied to $2. No folder is touched."), job.update, job.version, job.endpoint))],
            () => words, { verb: _("Decline"), isDangerous: true });
        if (isConfirmed) await this.command(words, _("The job is declined."));
    }

    held(job) {
        return Object.entries(job.folders).filter(([, folder]) => ["failed", "blocked", "pending", "running"].includes(folder.state))
            .map(([name, folder]) => `${name}: ${stateName(folder.state)}`);
    }

    async resume(job) {
        const words = ["resume", this.number];
        const isConfirmed = await confirm(format(_("Resume job $0?"), this.number),
            () => [h("p", null, _("The cause of the failure should be removed. It continues at the step where it stopped, in these folders:")), list(this.held(job))],
            () => words, { verb: _("Resume") });
        if (isConfirmed) await this.command(words, _("The job is resumed."));
    }

    async assumeDone(job, name) {
        this.step = await stoppedStep(this.number, name, this.host.access).catch(() => "");
        const words = () => ["resume", this.number, "--assume-done", this.step];
        const isConfirmed = await confirm(format(_("Assume the step of $0 done?"), name), () => [
            h("p", null, _("Only if it was done by hand: patchd does not run it again and continues with the next one.")),
            list(this.held(job)),
            h("label", null, _("Step"), " ", h("input", {
                type: "text", value: this.step, oninput: (event) => { this.step = event.target.value; },
            })),
        ], words, { verb: _("Resume"), isDangerous: true, isReady: () => this.step !== "" });
        if (isConfirmed) await this.command(words(), _("The job is resumed."));
    }

    async skip(job, name) {
        const words = ["resume", this.number, "--skip", name];
        const isConfirmed = await confirm(format(_("Skip $0?"), name), () => [
            h("p", null, _("The folder stays as it is now, with those below it; the other folders continue.")),
            list(this.held(job)),
        ], () => words, { verb: _("Skip"), isDangerous: true });
        if (isConfirmed) await this.command(words, _("The job is resumed."));
    }

    async cancel(job) {
        const words = ["cancel", this.number];
        const isConfirmed = await confirm(format(_("Cancel job $0?"), this.number), () => [
            h("p", null, job.state === "running"
                ? _("The steps under way end. Folders in the middle of the update stay there or go back, as the endpoint is configured; those that are done stay done:")
                : _("It has not begun: no folder is touched.")),
            list(this.held(job)),
        ], () => words, { verb: _("Cancel the job"), isDangerous: true });
        if (isConfirmed) await this.command(words, _("The job is being cancelled."));
    }
}
