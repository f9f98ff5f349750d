// Hints that something changed. What is true is read again afterwards.

/* global cockpit */

/** Calls back when something in a directory changes, by the kernel's events. */
export class DirectoryWatch {
    constructor(path, options, changed) {
        this.channel = cockpit.channel({ payload: "fswatch1", path, ...options });
        this.channel.addEventListener("message", (_event, data) => {
            let name = "";
            try {
                name = (JSON.parse(data).path ?? "").split("/").pop();
            } catch {
                // Something changed all the same.
            }
            // Files that are being written have hidden names until they are complete.
            if (!name.startsWith(".")) changed();
        });
    }

    close() { this.channel.close(); }
}

/** Watches a set of directories that grows and shrinks. */
export class WatchSet {
    constructor(options, changed) {
        this.options = options;
        this.changed = changed;
        this.watches = new Map();
    }

    /** Watches exactly these from now on. */
    set(paths) {
        for (const [path, watch] of this.watches) {
            if (paths.includes(path)) continue;
            watch.close();
            this.watches.delete(path);
        }
        for (const path of paths)
            if (!this.watches.has(path))
                this.watches.set(path, new DirectoryWatch(path, this.options, this.changed));
    }

    close() { this.set([]); }
}

/** Does something again after each hint: one at a time, and with a pause between two, so that a burst of hints costs one look. */
export class Refresh {
    constructor(look, pause = 250) {
        this.look = look;
        this.pause = pause;
        this.isBusy = false;
        this.isDue = false;
        this.isClosed = false;
    }

    hint() {
        this.isDue = true;
        if (!this.isBusy && !this.isClosed) this.run();
    }

    async run() {
        this.isBusy = true;
        while (this.isDue && !this.isClosed) {
            this.isDue = false;
            await this.look();
            await new Promise((resolve) => { window.setTimeout(resolve, this.pause); });
        }
        this.isBusy = false;
    }

    close() { this.isClosed = true; }
}
