// What commands came to, at the top of the page until it is dismissed or another page is opened.

import { alert } from "./alert.js";
import { h } from "./dom.js";
import { patchctl } from "./patchctl.js";
import { _ } from "./words.js";

export class Notices {
    constructor(changed) {
        this.changed = changed;
        this.all = [];
    }

    add(kind, title, text = "") {
        this.all = [{ kind, title, text }];
        this.changed();
    }

    clear() { this.all = []; }

    /** Runs a command that changes something, and shows what patchctl said. */
    async command(words, access, title) {
        try {
            const outcome = await patchctl(words, access);
            const said = [outcome.output, outcome.notes].map((text) => text.trim()).filter(Boolean).join("\n");
            if (outcome.code === 0) this.add("success", title, said);
            else this.add([3, 5, 6].includes(outcome.code) ? "warning" : "danger", failure(outcome.code), said);
            return outcome;
        } catch (error) {
            this.add("danger", _("The command was not carried out."), error.message);
            return null;
        }
    }

    render() {
        return this.all.map((notice) =>
            alert(notice.kind, notice.title, {
                text: notice.text, live: true,
                action: h("button", {
                    type: "button", class: "link",
                    onclick: () => {
                        this.clear();
                        this.changed();
                    },
                }, _("Dismiss")),
            }));
    }
}

function failure(code) {
    switch (code) {
    case 3: return _("There was nothing to do.");
    case 4: return _("It was refused.");
    case 5: return _("Something is in the way.");
    case 6: return _("It waits for approval.");
    case 69: return _("The daemon did not answer: it is not running.");
    default: return _("It failed.");
    }
}
