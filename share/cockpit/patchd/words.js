// Texts in the user's language. A message stands as a literal in the call: the test of the translations looks for it there.

/* global cockpit */

/** A message in the user's language, English where it has no translation. */
export const _ = cockpit.gettext;

/** The form of a message that goes with a number. */
export const ngettext = cockpit.ngettext;

/** Puts values in place of $0, $1 … */
export const format = cockpit.format;

/** A moment for people: local, with the zone. */
export function time(text) {
    if (!text) return "";
    const moment = new Date(text);
    if (Number.isNaN(moment.getTime())) return text;
    return moment.toLocaleString(language(), { dateStyle: "medium", timeStyle: "long" });
}

/** A length of time for people. */
export function duration(seconds) {
    if (!(seconds >= 0)) return "";
    if (seconds < 60) return format(_("$0 s"), seconds < 10 ? seconds.toFixed(1) : Math.round(seconds));
    return format(_("$0 min $1 s"), Math.floor(seconds / 60), Math.round(seconds % 60));
}

/** A size for people. */
export function size(bytes) {
    let unit = 0;
    let value = bytes;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit += 1;
    }
    return `${unit === 0 ? value : value.toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

function language() {
    try {
        return Intl.getCanonicalLocales((cockpit.language || "en").replace("_", "-"))[0];
    } catch {
        return "en";
    }
}
