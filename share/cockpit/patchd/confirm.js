// Asks once before something is changed, and says what it will touch.

import { commandLine } from "./command-line.js";
import { h, show } from "./dom.js";
import { _ } from "./words.js";

/**
 * Resolves with whether the user confirmed it.
 *
 * @param {string} title the question
 * @param {() => (Node | string | null)[]} body what will be touched; asked again after each change of its controls
 * @param {() => string[]} command what will be run
 * @param {{ verb: string, isDangerous?: boolean, isReady?: () => boolean }} options
 */
export function confirm(title, body, command, options) {
    return new Promise((resolve) => {
        let isConfirmed = false;
        const dialog = h("dialog", {
            "aria-labelledby": "question",
            onclose() {
                dialog.remove();
                resolve(isConfirmed);
            },
            onchange: () => update(),
            oninput: () => update(),
        });
        const update = () => show(dialog,
            h("h2", { id: "question" }, title),
            h("div", { class: "body" }, body()),
            commandLine(command()),
            h("div", { class: "buttons" },
                h("button", {
                    type: "button", class: options.isDangerous ? "danger" : "primary",
                    disabled: options.isReady ? !options.isReady() : false,
                    onclick() {
                        isConfirmed = true;
                        dialog.close();
                    },
                }, options.verb),
                h("button", { type: "button", class: "secondary", autofocus: true, onclick: () => dialog.close() }, _("Cancel"))));
        update();
        document.body.append(dialog);
        dialog.showModal();
    });
}

/** A list of things that will be touched. */
export function list(items) { return h("ul", { class: "touched" }, items.map((item) => h("li", null, item))); }
