// How far something is.

import { h } from "./dom.js";
import { _, format } from "./words.js";

/** A bar with its numbers; nothing where nothing is counted. */
export function bar(progress, name) {
    if (!progress || !(progress.total > 0)) return null;
    return h("div", { class: "progress" },
        h("progress", { max: progress.total, value: Math.min(progress.done, progress.total), "aria-label": name }),
        h("span", { class: "count" }, format(_("$0 of $1"), progress.done, progress.total)));
}

/** The sum of a job's folders. */
export function total(job) {
    const sum = { done: 0, total: 0 };
    for (const folder of Object.values(job.folders ?? {})) {
        sum.done += folder.progress?.done ?? 0;
        sum.total += folder.progress?.total ?? 0;
    }
    return sum;
}
