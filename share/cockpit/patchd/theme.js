// Dark or light, as Cockpit's shell says it; "auto" is the browser's own wish.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function apply(chosen) {
    let style = chosen;
    try {
        style = style ?? window.localStorage.getItem("shell:style");
    } catch {
        // A browser that keeps nothing has no choice of the user's either.
    }
    const isDark = style === "dark" || (style !== "light" && dark.matches);
    document.documentElement.classList.toggle("dark", isDark);
}

/** Follows the theme from now on. */
export function follow() {
    window.addEventListener("storage", (event) => { if (event.key === "shell:style") apply(); });
    window.addEventListener("cockpit-style", (event) => apply(event.detail?.style));
    dark.addEventListener("change", () => apply());
    apply();
}
