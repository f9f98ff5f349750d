import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The archive's reader` {
    let machine: Machine
    private let intake = "/var/lib/patchd/intake"

    init() throws {
        machine = try Machine()
        try machine.install()
        try machine.prepare("systemctl disable patchd.service")
        try machine.boot()
    }

    /// Prepares a directory for the reader, as the daemon does.
    private func prepare(_ id: String, entries: Int = 1000) throws {
        let limits = #"{"entries":\#(entries),"unpacked":1000000,"manifest":100000,"name":100,"depth":10}"#
        try machine.write("\(intake)/\(id)/limits.json", limits, mode: 0o600)
        try machine.run("install -d -o patchd-unpack -g patchd-unpack \(intake)/\(id)/content/tree")
        try ExampleUpdate().pack(to: machine.path("\(intake)/\(id)/content/archive.zip"))
    }

    private func verdict(_ id: String) throws -> [String: Any] {
        let text = try machine.read("\(intake)/\(id)/verdict.json")
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    @Test func `unpacks into its one directory, and leaves no unit behind`() throws {
        try prepare("one")
        let outcome = try machine.run("systemctl start patchd-unpack@one")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try verdict("one")["update"] != nil)
        let file = "\(intake)/one/content/tree/X3V8_P2/FILPATCH/lib/deep/b.dat"
        #expect(try machine.read(file) == "new b\n")
        #expect(try machine.run("stat -c %U \(file)").output == "patchd-unpack\n")
        #expect(try machine.run("systemctl list-units --all --no-legend 'patchd-unpack@*'").output == "")
    }

    @Test func `obeys the limits it is given`() throws {
        try prepare("two", entries: 2)
        #expect(try machine.run("systemctl start patchd-unpack@two").code == 0)
        let refusal = try verdict("two")["refusal"] as? [String: Any]
        #expect(refusal?["code"] as? String == "limitExceeded")
    }

    @Test func `sees programs, libraries and its directory, and nothing else`() throws {
        try prepare("one")
        try prepare("two")
        try machine.write("/usr/libexec/patchd/probe", Self.probe)
        // A shell needs pipes; the reader does not.
        try machine.write(
            "/etc/systemd/system/patchd-unpack@.service.d/probe.conf",
            "[Service]\nExecStart=\nExecStart=/usr/bin/sh /usr/libexec/patchd/probe\nSystemCallFilter=pipe pipe2\n")
        try machine.run("systemctl daemon-reload")
        let outcome = try machine.run("systemctl start patchd-unpack@one")
        #expect(outcome.code == 0, "\(outcome.errors)")
        // Only where this host has Swift's libraries below /opt.
        let seen = try machine.read("\(intake)/one/verdict.json").replacing(" opt ", with: " ")
        // /run is empty, in memory and its own.
        #expect(
            seen == """
                root: dev etc lib lib64 proc root run sys tree usr var
                run: credentials systemd
                etc:
                var:
                writes: /run /tree
                interfaces: lo
                a socket: Operation not permitted
                CapEff:	0000000000000000
                CapBnd:	0000000000000000
                NoNewPrivs:	1
                Seccomp:	2

                """)
    }

    /// Tells what a service with the reader's unit can do. The shell and its tools are below /usr.
    private static let probe = #"""
        list() { echo "$1:" $(ls -A "$2"); }
        list root /
        list run /run
        list etc /etc
        list var /var
        printf 'writes:'
        for place in / /usr /run /etc /dev /dev/shm /tmp /var/tmp /tree; do
            if (: >"$place/probe") 2>/dev/null; then printf ' %s' "$place"; fi
        done
        echo
        if [ -e /proc/1 ]; then echo "the first process"; fi
        echo "interfaces: $(sed 1,2d /proc/self/net/dev | cut -d: -f1 | tr -d ' ')"
        perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) and print "a socket\n" or print "a socket: $!\n"'
        grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
        """#
}

@Suite(.bootsMachines) struct `An archive whose reader dies` {
    @Test func `is refused, the daemon is unharmed, and the next one is applied`() throws {
        let host = try Deployment()
        let machine = host.machine
        let dropIn = "/etc/systemd/system/patchd-unpack@.service.d/die.conf"
        try machine.write(
            dropIn,
            "[Service]\nExecStart=\nExecStart=/usr/bin/sh -c 'echo; kill -9 $$$$'\n")
        try machine.boot()
        let pid = try machine.run("systemctl show -P MainPID patchd").output
        try host.drop(as: "first.zip")
        try machine.until("it is refused") { machine.exists("/var/spool/patchd/rejected/first.zip.reason.json") }
        let reason = try machine.read("/var/spool/patchd/rejected/first.zip.reason.json")
        #expect(reason.contains("archiveMalformed") && reason.contains("three times"), "\(reason)")
        try machine.run("rm \(dropIn) && systemctl daemon-reload")
        try host.drop(as: "second.zip")
        try host.until(job: 1, is: "done")
        #expect(try machine.run("systemctl show -P MainPID patchd").output == pid)
        #expect(try machine.run("systemctl --failed --no-legend").output == "")
    }
}
