// Who is logged in, and how commands are run for this user. Group patchd reads jobs, plans and traces and gives commands; who is
// not in it goes through Cockpit's administrative access, where it is switched on.

/* global cockpit */

/** The group that the contract names for jobs, plans and traces. */
export const group = "patchd";

/** The user's name, and the options of channels that read or command. */
export class Access {
    constructor(user, groups, isAdmin) {
        this.user = user;
        this.isMember = user === "root" || groups.includes(group);
        /** Whether Cockpit's administrative access is switched on. */
        this.isAdmin = isAdmin;
        this.options = this.isMember ? {} : { superuser: "try" };
    }

    /** For looking into the folders themselves, which is their owners' and root's. */
    get asAdmin() { return { options: { superuser: "try" } }; }

    /** As the session is, not as the group database says by now: a new membership counts from the next login on. */
    static async find() {
        const user = await cockpit.spawn(["id", "-un"], { err: "message" });
        const groups = await cockpit.spawn(["id", "-Gn"], { err: "message" });
        return new Access(user.trim(), groups.trim().split(/\s+/), user.trim() === "root" || await isAdmin());
    }
}

/** Cockpit loads the page anew when the user switches it on or off. */
function isAdmin() {
    const permission = cockpit.permission({ admin: true });
    return new Promise((resolve) => {
        const look = () => { if (permission.allowed !== null) resolve(permission.allowed); };
        permission.addEventListener("changed", look);
        look();
    });
}
