// States in the user's words, each with a colour and a sign, so that no one has to tell colours apart.

import { h } from "./dom.js";
import { _ } from "./words.js";

const kinds = {
    done: "success", current: "success", upToDate: "success",
    running: "info", updating: "info", reverting: "info", queued: "info",
    waiting: "warning", pendingApproval: "warning", behind: "warning", blocked: "warning", diverged: "warning",
    failed: "danger", declined: "danger",
};

const signs = { success: "✓", info: "↻", warning: "!", danger: "✗", plain: "–" };

/** A state's name: of a folder, a job, or a folder in a job. */
export function stateName(state) {
    switch (state) {
    case "current": return _("current");
    case "updating": return _("updating");
    case "failed": return _("failed");
    case "reverting": return _("rolling back");
    case "behind": return _("behind");
    case "diverged": return _("ahead");
    case "queued": return _("queued");
    case "waiting": return _("waiting");
    case "pendingApproval": return _("waits for approval");
    case "declined": return _("declined");
    case "running": return _("running");
    case "done": return _("done");
    case "cancelled": return _("cancelled");
    case "pending": return _("pending");
    case "upToDate": return _("up to date");
    case "excluded": return _("left out");
    case "blocked": return _("blocked");
    case "reverted": return _("rolled back");
    default: return state;
    }
}

/** What a job does. */
export function operationName(operation) {
    switch (operation) {
    case "apply": return _("Update");
    case "test": return _("Test");
    case "rollback": return _("Rollback");
    default: return operation;
    }
}

/** A state as a coloured label. */
export function label(state) {
    const kind = kinds[state] ?? "plain";
    return h("span", { class: `label ${kind}` }, h("span", { "aria-hidden": "true" }, signs[kind]), " ", stateName(state));
}
