// An endpoint's folders as a tree. Where the configuration cannot be read parents are not known, and all are roots.

/** Folders in tree order, each with its depth. */
export function inOrder(folders) {
    const children = byParent(folders);
    const ordered = [];
    const add = (parent, depth) => {
        for (const folder of children.get(parent) ?? []) {
            ordered.push({ folder, depth });
            if (folder.folder) add(folder.folder, depth + 1);
        }
    };
    add("", 0);
    return ordered;
}

function byParent(folders) {
    const names = new Set(folders.map((folder) => folder.folder));
    const children = new Map();
    for (const folder of folders) {
        const parent = names.has(folder.parent) ? folder.parent : "";
        if (!children.has(parent)) children.set(parent, []);
        children.get(parent).push(folder);
    }
    return children;
}

/** The names of all folders below one. */
export function descendants(folders, name) {
    const found = [];
    for (const folder of folders)
        if (folder.parent === name) found.push(folder.folder, ...descendants(folders, folder.folder));
    return found;
}

/** The names of all folders above one, the nearest first. */
export function ancestors(folders, name) {
    const parent = folders.find((folder) => folder.folder === name)?.parent;
    return parent && folders.some((folder) => folder.folder === parent) ? [parent, ...ancestors(folders, parent)] : [];
}
