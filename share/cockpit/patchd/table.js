// A table that scrolls by itself where it is wide, and whose rows stand one below the other where the window is narrow.

import { h } from "./dom.js";

/**
 * @param {string} name for people who do not see it
 * @param {string[]} columns
 * @param {{ key: string, cells: (Node | string | (Node | string | null)[] | null)[] }[]} rows
 * @param {{ header?: number, said?: number[] }} options which cell names the row; which keep their line breaks
 */
export function table(name, columns, rows, options = {}) {
    const header = options.header ?? 0;
    const cell = (content, index) => {
        const isHeader = index === header;
        return h(isHeader ? "th" : "td", {
            role: isHeader ? "rowheader" : "cell", scope: isHeader ? "row" : null, "data-column": columns[index],
            class: options.said?.includes(index) ? "said" : null,
        }, h("div", null, content));
    };
    return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
        // A table that is no longer laid out as one is none to screen readers, unless its parts say so.
        h("table", { role: "table", "aria-label": name },
            h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
                columns.map((column) => h("th", { scope: "col", role: "columnheader" }, column)))),
            h("tbody", { role: "rowgroup" }, rows.map(({ key, cells }) => h("tr", { role: "row", "data-key": key }, cells.map(cell))))));
}

/** A folder's name, indented as deep as it lies in the tree. */
export function branch(depth, ...content) { return h("span", { class: `branch depth-${Math.min(depth, 12)}` }, content); }
