// Brings a file of the browser's onto the host. Its temporary file lives exactly as long as the channel: a shell that belongs to
// the channel made it and removes it when the channel ends, whoever cut it and when.

/* global cockpit */

import { _ } from "./words.js";

const piece = 1 << 20;
/** Pieces on their way that the host has not written yet. */
const ahead = 4;

// $1 its name, $2 its size, $3 the size of a piece. Says where it is, then after each piece how much is written.
const receiver = `
umask 077
trap '' PIPE
dir=$(mktemp -d /var/tmp/patchd-upload.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
file="$dir/$1"
: >"$file" || exit 1
echo "at $file"
size=0
while [ "$size" -lt "$2" ]; do
    want=$3
    [ $(($2 - size)) -ge "$want" ] || want=$(($2 - size))
    head -c "$want" >>"$file" || exit 1
    now=$(stat -c %s "$file")
    [ "$now" = $((size + want)) ] || exit 1
    size=$now
    echo "$size"
done
cat >/dev/null
`;

export class Upload {
    /** @param {File} file */
    constructor(file, access) {
        this.file = file;
        this.access = access;
        /** Where it is on the host; empty before. */
        this.path = "";
        this.written = 0;
        this.isCut = false;
        this.waiting = null;
    }

    /** A name that no shell, table or file system minds. */
    get name() {
        const plain = this.file.name.replace(/[^A-Za-z0-9._+-]/g, "_").replace(/^\.+/, "").slice(-128);
        return plain || "update.zip";
    }

    /** Resolves when all of it is on the host's disk. */
    async send(progress) {
        const process = cockpit.spawn(
            ["/bin/sh", "-c", receiver, "--", this.name, String(this.file.size), String(piece)],
            { binary: true, err: "message", ...this.access.options });
        this.process = process;
        let answer = "";
        process.stream((bytes) => {
            answer += new TextDecoder().decode(bytes);
            const lines = answer.split("\n");
            answer = lines.pop();
            for (const line of lines) {
                if (line.startsWith("at ")) this.path = line.slice(3);
                else this.written = Number(line);
            }
            progress(this.written);
            this.waiting?.();
        });
        const ended = process.then(() => {}, (error) => { this.problem = error.message; }).finally(() => {
            this.isCut = true;
            this.waiting?.();
        });
        // An archive is not read into memory: a piece at a time.
        for (let at = 0; at < this.file.size; at += piece) {
            await this.until(() => at - this.written < ahead * piece);
            const bytes = new Uint8Array(await this.file.slice(at, at + piece).arrayBuffer());
            if (this.isCut) break;
            // Of an array that begins within its buffer, cockpit.js sends the buffer's beginning.
            process.input(bytes, true);
        }
        await this.until(() => this.path && this.written >= this.file.size);
        void ended;
    }

    async until(condition) {
        while (!condition()) {
            if (this.isCut) throw new Error(this.problem || _("The upload was cut; nothing of it stays on the host."));
            await new Promise((resolve) => { this.waiting = resolve; });
        }
    }

    /** Removes it from the host. */
    close() {
        this.isCut = true;
        this.process?.close("terminated");
        this.waiting?.();
    }
}
