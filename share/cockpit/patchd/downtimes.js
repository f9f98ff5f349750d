// How long applications were locked out of folders the last time, from the daemon's metrics.

/* global cockpit */

import * as directories from "./directories.js";

const line = /^patchd_last_downtime_seconds\{(.*)\} ([0-9.e+]+)$/gm;

export class Downtimes {
    constructor(changed) {
        this.known = new Map();
        this.file = cockpit.file(directories.metrics, { max_read_size: 16 << 20 });
        this.file.watch((text) => {
            this.known.clear();
            for (const [, labels, value] of (text ?? "").matchAll(line)) {
                const [, endpoint] = labels.match(/endpoint="([^"]*)"/) ?? [];
                const [, folder] = labels.match(/folder="([^"]*)"/) ?? [];
                this.known.set(`${endpoint}/${folder}`, Number(value));
            }
            changed();
        });
    }

    /** Null where none was measured. */
    seconds(endpoint, folder) { return this.known.get(`${endpoint}/${folder}`) ?? null; }

    close() { this.file.close(); }
}
