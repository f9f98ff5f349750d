// A plan: first the folders that would become unusable and what keeps it from being applied, then every file and statement.

import { alert } from "./alert.js";
import { h } from "./dom.js";
import { label } from "./label.js";
import { _, format, ngettext, size } from "./words.js";

/** Steps that are put on the page at once; the others come when they are asked for. */
const page = 500;

export function planView(plan) {
    return plan.endpoints.map((endpoint) => h("section", { class: "plan", "data-key": `plan-${endpoint.endpoint}` },
        h("h3", null, format(_("Plan for $0"), endpoint.endpoint)),
        endpoint.unusable.length ? alert("warning", _("These folders would become unusable:"), { text: endpoint.unusable.join(", ") }) : null,
        endpoint.faults.map((fault) => alert("danger", fault.folder
            ? format(_("$0 keeps it from being applied ($1)"), fault.folder, fault.code)
            : format(_("It cannot be applied ($0)"), fault.code), { text: fault.message })),
        (endpoint.warnings ?? []).map((text) => alert("warning", _("Note"), { text })),
        endpoint.folders.map((folder) => folderPlan(endpoint.endpoint, folder))));
}

/** By a folder's plan, its list of steps: made when it is first opened, and kept. */
const lists = new WeakMap();

function stepList(folder) {
    if (!lists.has(folder)) lists.set(folder, document.createElement("ol"));
    return lists.get(folder);
}

function folderPlan(endpoint, folder) {
    const steps = stepList(folder);
    return h("details", {
        "data-key": `plan-${endpoint}-${folder.folder}`,
        ontoggle() { if (this.open && steps.childElementCount === 0) fill(steps, folder.steps, 0); },
    },
    h("summary", null, h("strong", null, folder.folder), " ",
        `${folder.from ?? _("unknown")} → ${folder.to} `,
        folder.state === "pending" ? null : label(folder.state), " ",
        h("span", { class: "quiet" }, format(ngettext("$0 step", "$0 steps", folder.steps.length), folder.steps.length))),
    h("div", { class: "steps", own: steps }));
}

function fill(list, steps, from) {
    list.querySelector(":scope > .more")?.remove();
    list.append(...steps.slice(from, from + page).map(stepItem));
    if (steps.length <= from + page) return;
    list.append(h("li", { class: "more" }, h("button", {
        type: "button", class: "link", onclick: () => fill(list, steps, from + page),
    }, format(_("Show $0 more"), steps.length - from - page))));
}

function stepItem(step) {
    return h("li", null,
        h("span", { class: "kind" }, kindName(step.kind)), " ", h("code", null, step.path),
        step.size > 0 ? h("span", { class: "quiet" }, ` ${size(step.size)}`) : null,
        step.command ? h("code", { class: "next" }, step.command) : null,
        step.statements?.length
            ? h("ol", { class: "statements" }, step.statements.map((statement) => h("li", null, h("code", null, statement))))
            : null);
}

function kindName(kind) {
    switch (kind) {
    case "directory": return _("directory");
    case "file": return _("file");
    case "remove": return _("removal");
    case "registry": return _("registry");
    case "script": return _("script");
    case "rows": return _("rows");
    case "upload": return _("upload");
    case "handler": return _("handler");
    case "hook": return _("hook");
    default: return kind;
    }
}
