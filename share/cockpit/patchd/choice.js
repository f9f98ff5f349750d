// What is applied where: the patches that are switched off, and the folders that are left out. Leaving a folder out leaves out
// those below it; taking one in takes in those above it.

import { ancestors, descendants, inOrder } from "./tree.js";

export class Choice {
    /**
     * @param {object} update as lint shows it
     * @param {object[]} endpoints those of the status that take it
     */
    constructor(update, endpoints) {
        this.update = update;
        this.patches = new Map(update.patches.map((patch) => [patch.name, patch.mandatory || patch.default]));
        this.endpoints = new Map(endpoints.map((endpoint) => [endpoint.endpoint, true]));
        this.left = new Map(endpoints.map((endpoint) => [endpoint.endpoint, new Set()]));
    }

    switchPatch(name, isOn) { this.patches.set(name, isOn); }

    switchEndpoint(name, isOn) { this.endpoints.set(name, isOn); }

    switchFolder(endpoint, name, isOn) {
        const left = this.left.get(endpoint.endpoint);
        if (isOn) for (const folder of [name, ...ancestors(endpoint.folders, name)]) left.delete(folder);
        else for (const folder of [name, ...descendants(endpoint.folders, name)]) left.add(folder);
    }

    has(endpoint, folder) { return this.endpoints.get(endpoint) === true && !this.left.get(endpoint)?.has(folder); }

    /** Endpoints with a folder left in. */
    chosen(endpoints) {
        return endpoints.filter((endpoint) => endpoint.folders.some((folder) => this.has(endpoint.endpoint, folder.folder)));
    }

    /** The options for one endpoint: of the folders left out, the topmost. */
    options(endpoint) {
        const words = ["--endpoint", endpoint.endpoint];
        for (const { folder } of inOrder(endpoint.folders)) {
            const left = this.left.get(endpoint.endpoint);
            if (left.has(folder.folder) && !left.has(folder.parent)) words.push("--exclude", folder.folder);
        }
        for (const patch of this.update.patches) {
            const isOn = this.patches.get(patch.name);
            if (!patch.mandatory && isOn !== patch.default) words.push("--patch", `${patch.name}=${isOn ? "on" : "off"}`);
        }
        return words;
    }
}
