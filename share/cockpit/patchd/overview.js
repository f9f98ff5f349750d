// What needs a person first; then what is under way, and each endpoint in a line.

import { alert } from "./alert.js";
import { group } from "./access.js";
import { bar, total } from "./bar.js";
import { h } from "./dom.js";
import { label, operationName, stateName } from "./label.js";
import { table } from "./table.js";
import { _, format, ngettext, time } from "./words.js";

export class Overview {
    constructor(host) { this.host = host; }

    get title() { return _("Overview"); }

    start() {}

    stop() {}

    render() {
        const { status } = this.host;
        if (!status) return [];
        return [
            section(_("Needs attention"), this.attention(status)),
            section(_("Under way"), this.underWay(status)),
            section(_("Endpoints"), this.endpoints(status)),
        ];
    }

    attention(status) {
        const { service } = this.host;
        const found = [];
        if (service.isRunning === false)
            found.push(alert("danger", _("The daemon is not running."), {
                text: _("Nothing is updated and no command is answered until it is started: systemctl start patchd. The folders are shown as it left them."),
            }));
        if (status.configuration.refused)
            found.push(alert("danger", _("The configuration is refused; patchd keeps the one that it has."), {
                text: status.configuration.refused, command: ["config", "check"],
            }));
        for (const job of status.jobs.filter((job) => job.state === "pendingApproval"))
            found.push(alert("warning", format(_("Job $0 waits for approval: $1 $2 on $3"), job.job, job.update, job.version, job.endpoint), {
                action: h("a", { href: `#/job/${job.job}` }, _("Review and approve")), command: ["show", job.job],
            }));
        for (const job of status.jobs.filter((job) => job.state === "failed"))
            found.push(alert("danger", format(_("Job $0 failed: $1 $2 on $3"), job.job, job.update, job.version, job.endpoint), {
                text: job.message, action: h("a", { href: `#/job/${job.job}` }, _("Look at the job")), command: ["show", job.job],
            }));
        for (const unit of status.units ?? [])
            found.push(alert("danger", format(_("$0 does not come up again"), unit.unit), { text: `${unit.problem}\n${unit.next}` }));
        for (const endpoint of status.endpoints) {
            const waiting = endpoint.folders.filter((folder) => ["failed", "behind"].includes(folder.status) || folder.gone);
            if (waiting.length === 0) continue;
            found.push(alert("warning",
                format(ngettext("$0 folder of $1 cannot be used", "$0 folders of $1 cannot be used", waiting.length), waiting.length, endpoint.endpoint), {
                    text: waiting.slice(0, 10).map((folder) => `${folder.folder}: ${folder.reason || stateName(folder.status)}`).join("\n")
                        + (waiting.length > 10 ? "\n…" : ""),
                    action: h("a", { href: `#/endpoint/${endpoint.endpoint}` }, _("Look at the folders")),
                }));
        }
        for (const hold of status.holds)
            found.push(alert("info", format(_("$0 is held by $1"), hold.target, hold.owner), {
                text: hold.reason, action: h("a", { href: "#/holds" }, _("Look at the holds")),
            }));
        if (!this.host.seesJobs)
            found.push(alert("info", _("Jobs, plans and traces are not shown to you."), {
                text: format(_("They are for members of group $0. An administrator adds you with: adduser $1 $0. Then log in again, or switch on administrative access."), group, this.host.access.user),
            }));
        return found.length ? found : [h("p", { class: "fine" }, _("Nothing needs you at the moment."))];
    }

    underWay(status) {
        const jobs = status.jobs.filter((job) => ["queued", "waiting", "running"].includes(job.state));
        if (jobs.length === 0) return [h("p", { class: "quiet" }, _("No job is under way."))];
        return jobs.map((job) => h("article", { class: "card", "data-key": `job-${job.job}` },
            h("h3", null, h("a", { href: `#/job/${job.job}` },
                format(_("Job $0: $1 of $2 to $3"), job.job, operationName(job.operation), job.endpoint, job.version)), " ", label(job.state)),
            job.waitingFor ? h("p", null, format(_("It waits for $0."), job.waitingFor)) : null,
            bar(total(job), format(_("Steps of job $0"), job.job))));
    }

    endpoints(status) {
        if (status.endpoints.length === 0)
            return [h("p", { class: "quiet" }, _("The daemon has not loaded an endpoint yet."))];
        return [table(_("Endpoints"), [_("Endpoint"), _("Folders"), _("Versions"), _("Status"), _("Last update")],
            status.endpoints.map((endpoint) => ({
                key: endpoint.endpoint,
                cells: [
                    h("a", { href: `#/endpoint/${endpoint.endpoint}` }, endpoint.endpoint),
                    String(endpoint.folders.length),
                    [...new Set(endpoint.folders.map((folder) => folder.version ?? _("unknown")))].join(", "),
                    counts(endpoint.folders),
                    time(latest(endpoint.folders)) || "–",
                ],
            })))];
    }
}

function section(title, content) { return h("section", null, h("h2", null, title), content); }

function counts(folders) {
    const found = new Map();
    for (const folder of folders) found.set(folder.status, (found.get(folder.status) ?? 0) + 1);
    return [...found].map(([status, count]) => [label(status), ` ${count} `]);
}

function latest(folders) {
    const updated = folders.filter((folder) => folder.job > 0).map((folder) => folder.updatedAt).sort();
    return updated.at(-1) ?? "";
}
