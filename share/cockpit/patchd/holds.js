// Who keeps patchd away from what.

import { commandLine } from "./command-line.js";
import { confirm, list } from "./confirm.js";
import { alert } from "./alert.js";
import { h } from "./dom.js";
import { patchctl } from "./patchctl.js";
import { table } from "./table.js";
import { inOrder } from "./tree.js";
import { Refresh } from "./watch.js";
import { _, format, time } from "./words.js";

export class Holds {
    constructor(host, notices) {
        this.host = host;
        this.notices = notices;
        this.holds = null;
        this.problem = "";
        this.target = "ALL";
        this.reason = "";
        this.until = "";
    }

    get title() { return _("Holds"); }

    start(changed) {
        this.changed = changed;
        this.refresh = new Refresh(() => this.read());
        this.ending = this.host.listen(() => this.refresh.hint());
        this.refresh.hint();
    }

    stop() {
        this.ending();
        this.refresh.close();
    }

    /** Also those that do not count, which the status leaves out. */
    async read() {
        try {
            this.holds = (await patchctl(["holds", "--json"], this.host.access)).expect(0).json().holds;
            this.problem = "";
        } catch (error) {
            this.problem = error.message;
        }
        this.changed();
    }

    render() {
        return [
            h("h2", null, this.title),
            h("p", null, _("While a folder is held, no update of it begins. One that runs already is not stopped.")),
            commandLine(["holds"]),
            this.problem ? alert("danger", _("The holds are not shown."), { text: this.problem }) : this.standing(),
            this.form(),
        ];
    }

    standing() {
        if (!this.holds) return null;
        if (this.holds.length === 0) return h("p", { class: "fine" }, _("Nothing is held."));
        return table(_("Holds"), [_("Held"), _("By"), _("Since"), _("Until"), _("Reason"), _("Actions")], this.holds.map((hold) => ({
            key: hold.target,
            cells: [
                hold.target, hold.owner, time(hold.since),
                hold.until ? time(hold.until) : hold.pid ? format(_("process $0 ends"), hold.pid) : _("it is lifted"),
                [hold.reason, hold.counts ? null : h("div", { class: "quiet" }, format(_("does not count: $0 may not hold it"), hold.owner))],
                h("button", {
                    type: "button", class: "link", "aria-label": format(_("Lift the hold on $0"), hold.target), onclick: () => this.lift(hold),
                }, _("Lift")),
            ],
        })), { said: [4] });
    }

    get command() {
        return ["hold", this.target, ...(this.reason ? ["--reason", this.reason] : []),
            ...(this.until ? ["--until", new Date(this.until).toISOString().replace(/\.\d+Z$/, "Z")] : [])];
    }

    form() {
        const targets = ["ALL", ...(this.host.status?.endpoints ?? []).flatMap((endpoint) =>
            [endpoint.endpoint, ...inOrder(endpoint.folders).map(({ folder }) => `${endpoint.endpoint}/${folder.folder}`)])];
        const set = (key) => (event) => {
            this[key] = event.target.value;
            this.changed();
        };
        return h("form", {
            class: "card", "data-key": "form",
            onsubmit: async (event) => {
                event.preventDefault();
                const outcome = await this.notices.command(this.command, this.host.access, format(_("$0 is held."), this.target));
                if (outcome?.code === 0) this.reason = this.until = "";
                this.refresh.hint();
            },
        },
        h("h3", null, _("Hold something")),
        h("label", null, _("What"), h("select", { value: this.target, onchange: set("target") },
            targets.map((target) => h("option", { value: target }, target === "ALL" ? _("everything") : target)))),
        h("label", null, _("Reason"), h("input", { type: "text", value: this.reason, maxlength: "200", oninput: set("reason") })),
        h("label", null, _("Until (optional)"), h("input", { type: "datetime-local", value: this.until, oninput: set("until") })),
        commandLine(this.command),
        h("button", { type: "submit", class: "primary" }, _("Hold")));
    }

    async lift(hold) {
        const words = ["unhold", hold.target];
        const isConfirmed = await confirm(format(_("Lift the hold on $0?"), hold.target), () => [
            h("p", null, _("Updates that wait for it begin at once.")),
            list([`${hold.target}: ${hold.owner}${hold.reason ? `, ${hold.reason}` : ""}`]),
        ], () => words, { verb: _("Lift"), isDangerous: true });
        if (!isConfirmed) return;
        await this.notices.command(words, this.host.access, format(_("$0 is no longer held."), hold.target));
        this.refresh.hint();
    }
}
