// What is known of this host: one `patchctl status --json`, read again after each change of a state file.

import * as directories from "./directories.js";
import { patchctl } from "./patchctl.js";
import { Service } from "./service.js";
import { Refresh, WatchSet } from "./watch.js";

export class Host {
    constructor(access) {
        this.access = access;
        /** Null until it was read for the first time. */
        this.status = null;
        /** Why it could not be read the last time; empty otherwise. */
        this.problem = "";
        /** What patchctl said beside it: why this user does not see all of it. */
        this.notes = "";
        this.listeners = new Set();
        this.refresh = new Refresh(() => this.look());
        this.watches = new WatchSet(access.options, () => this.refresh.hint());
        this.service = new Service(() => this.changed());
        this.watch();
        this.refresh.hint();
    }

    /** Calls back after each change; returns what ends it. */
    listen(listener) {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    /** Whether this user sees jobs. */
    get seesJobs() { return this.status !== null && !/jobs are not shown/.test(this.notes); }

    endpoint(name) { return this.status?.endpoints.find((endpoint) => endpoint.endpoint === name) ?? null; }

    changed() { for (const listener of this.listeners) listener(); }

    async look() {
        try {
            const outcome = await patchctl(["status", "--json"], this.access);
            this.status = outcome.expect(0).json();
            this.notes = outcome.notes;
            this.problem = "";
        } catch (error) {
            this.problem = error.message;
        }
        this.watch();
        this.changed();
    }

    watch() {
        const { state, spool, configuration } = directories;
        const paths = [state, `${state}/endpoints`, `${spool}/holds`, configuration, `${configuration}/endpoints.d`];
        for (const endpoint of this.status?.endpoints ?? []) paths.push(`${state}/endpoints/${endpoint.endpoint}`);
        if (this.status === null || this.seesJobs) paths.push(`${state}/jobs`);
        for (const job of this.status?.jobs ?? []) paths.push(directories.job(job.job));
        this.watches.set(paths);
    }
}
