// The daemon as systemd sees it: whether it runs, and its status line.

/* global cockpit */

const unit = "/org/freedesktop/systemd1/unit/patchd_2eservice";

export class Service {
    constructor(changed) {
        /** Null until systemd has answered, and where no systemd can be asked. */
        this.isRunning = null;
        this.text = "";
        this.client = cockpit.dbus("org.freedesktop.systemd1", { bus: "system" });
        this.client.call("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Subscribe", []).catch(() => {});
        this.state = this.client.proxy("org.freedesktop.systemd1.Unit", unit);
        this.details = this.client.proxy("org.freedesktop.systemd1.Service", unit);
        for (const proxy of [this.state, this.details])
            proxy.addEventListener("changed", () => {
                this.read();
                changed();
            });
    }

    read() {
        if (!this.state.valid || !this.state.ActiveState) return;
        this.isRunning = ["active", "reloading"].includes(this.state.ActiveState);
        this.text = this.isRunning ? this.details.StatusText ?? "" : "";
    }
}
