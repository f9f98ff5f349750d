// The page: what is shown follows the address, and is shown anew when what is known changes.

/* global cockpit */

import { Access } from "./access.js";
import { alert } from "./alert.js";
import { h, show } from "./dom.js";
import { Endpoint } from "./endpoint.js";
import { History } from "./history.js";
import { Holds } from "./holds.js";
import { Host } from "./host.js";
import { Job } from "./job.js";
import { Notices } from "./notices.js";
import { Overview } from "./overview.js";
import { follow } from "./theme.js";
import { Update } from "./update.js";
import { _ } from "./words.js";

const views = { "": Overview, endpoint: Endpoint, update: Update, job: Job, history: History, holds: Holds };

class Page {
    constructor(host) {
        this.host = host;
        this.notices = new Notices(() => this.changed());
        this.isDue = false;
        host.listen(() => this.changed());
        cockpit.addEventListener("locationchanged", () => this.open());
        this.open();
    }

    open() {
        const [name = "", ...rest] = cockpit.location.path;
        const View = views[name] ?? Overview;
        this.view?.stop();
        if (this.name !== name) this.notices.clear();
        this.name = name;
        this.view = new View(this.host, this.notices, rest);
        this.view.start(() => this.changed());
        document.getElementById("page").replaceChildren();
        this.draw();
    }

    /** Several changes at once are one drawing. */
    changed() {
        if (this.isDue) return;
        this.isDue = true;
        window.setTimeout(() => this.draw(), 0);
    }

    draw() {
        this.isDue = false;
        show(document.getElementById("navigation"), navigation(this.host, this.name));
        show(document.getElementById("page"), h("div", { class: "notices", "data-key": "notices" }, this.unknown(), this.notices.render()),
            this.view.render());
        document.title = `${this.view.title} – ${_("Application updates")}`;
        if (this.host.status) document.body.dataset.ready = this.name || "overview";
    }

    unknown() {
        if (this.host.problem) return alert("danger", _("The state of this host cannot be read."), { text: this.host.problem, live: true });
        return this.host.status ? null : h("p", { role: "status" }, _("Reading …"));
    }
}

function navigation(host, current) {
    const link = (name, path, text) =>
        h("li", null, h("a", { href: `#/${path}`, "aria-current": name === current ? "page" : null }, text));
    return h("nav", { "aria-label": _("Application updates") },
        h("h1", null, _("Application updates")),
        h("ul", null,
            link("", "", _("Overview")),
            (host.status?.endpoints ?? []).slice(0, 8).map(({ endpoint }) => h("li", null,
                h("a", { href: `#/endpoint/${endpoint}`, "aria-current": current === "endpoint" && cockpit.location.path[1] === endpoint ? "page" : null }, endpoint))),
            link("update", "update", _("New update")),
            link("history", "history", _("History")),
            link("holds", "holds", _("Holds"))));
}

async function begin() {
    follow();
    document.documentElement.lang = (cockpit.language || "en").replace("_", "-");
    await new Promise((resolve) => { cockpit.transport.wait(resolve); });
    new Page(new Host(await Access.find()));
}

begin();
