// The command of patchctl that does the same, to be copied.

import { announce, h } from "./dom.js";
import { commandText } from "./patchctl.js";
import { _ } from "./words.js";

export function commandLine(words) {
    const text = commandText(words);
    return h("div", { class: "command" },
        h("code", null, text),
        h("button", {
            type: "button", class: "plain", "aria-label": `${_("Copy the command")}: ${text}`,
            async onclick() {
                try {
                    await navigator.clipboard.writeText(text);
                    announce(_("The command was copied."));
                } catch {
                    announce(_("The browser does not allow copying here."));
                }
            },
        }, _("Copy")));
}
