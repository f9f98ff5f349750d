// A message on the page: what it is about, what to do, and the command for it.

import { commandLine } from "./command-line.js";
import { h } from "./dom.js";
import { _ } from "./words.js";

const names = () => ({ danger: _("Error"), warning: _("Warning"), info: _("Note"), success: _("Done") });

/**
 * @param {string} kind danger, warning, info or success
 * @param {string} title one line
 * @param {{ text?: string, command?: string[], key?: string, action?: Node, live?: boolean }} more
 */
export function alert(kind, title, more = {}) {
    return h("div", { class: `alert ${kind}`, "data-key": more.key, role: more.live ? "alert" : null },
        h("h3", null, h("span", { class: "unseen" }, `${names()[kind]}: `), title),
        more.text ? h("p", { class: "said" }, more.text) : null,
        more.command ? commandLine(more.command) : null,
        more.action ?? null);
}
