// Rolling back a folder or a job: what it would take is said before it is asked.

import { confirm, list } from "./confirm.js";
import { h } from "./dom.js";
import { descendants } from "./tree.js";
import { _, format, ngettext } from "./words.js";

/** A folder goes back with the folders below it that the same job raised. */
export async function rollback(host, notices, endpoint, folder) {
    const below = descendants(endpoint.folders, folder.folder)
        .map((name) => endpoint.folders.find((other) => other.folder === name))
        .filter((other) => other.job === folder.job);
    await ask(host, notices, `${endpoint.endpoint}/${folder.folder}`,
        format(_("Roll back $0?"), folder.folder),
        [folder, ...below].map((other) => change(other.folder, other.version, other.previousVersion)));
}

/** A job goes back in all its folders. */
export async function rollbackJob(host, notices, job) {
    const touched = Object.entries(job.folders).filter(([, folder]) => ["done", "failed", "running", "blocked"].includes(folder.state));
    await ask(host, notices, String(job.job), format(_("Roll back job $0?"), job.job),
        touched.map(([name, folder]) => change(name, folder.to ?? job.version, folder.from)));
}

function change(name, from, to) { return `${name}: ${from ?? _("unknown")} → ${to ?? _("unknown")}`; }

async function ask(host, notices, target, title, touched) {
    let discardsData = false;
    const command = () => ["rollback", target, ...(discardsData ? ["--discard-data"] : [])];
    const isConfirmed = await confirm(title, () => [
        h("p", null, format(ngettext("$0 folder goes back, and its applications must leave while that happens:",
            "$0 folders go back, and their applications must leave while that happens:", touched.length), touched.length)),
        list(touched),
        h("p", null, _("Files come back from the kept originals; scripts are undone by the downgrades of the update. What cannot be undone is refused before anything is touched.")),
        h("label", { class: "check" }, h("input", {
            type: "checkbox", checked: discardsData, onchange: (event) => { discardsData = event.target.checked; },
        }), " ", _("Restore databases from their backups: what was written since is lost")),
    ], command, { verb: _("Roll back"), isDangerous: true });
    if (isConfirmed) await notices.command(command(), host.access, _("The rollback was requested."));
}
