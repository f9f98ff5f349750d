import Foundation
import Support
import Testing

/// The ways of docs/vendor.md, "From what you have", taken from the page and run as they stand there.
@Suite struct `The ways to an update` {
    let host: Installation

    init() throws {
        host = try Installation()
        let outcome = try Installation.run(
            "/bin/sh",
            [
                "-ec",
                """
                chmod 755 .
                ssh-keygen -q -t ed25519 -N '' -f KEY
                mkdir acme-2.0 acme-2.0/bin upgrades FILPATCH sql
                echo 'run setup.sh' >acme-2.0/README; echo 'echo ok' >acme-2.0/setup.sh; echo 2 >acme-2.0/bin/acme
                tar -czf acme-2.0.tar.gz acme-2.0
                echo '<?php echo 1;' >upgrades/0.9.1_migrationldap.php; echo 'true' >upgrades/3.0.0~b.sh
                echo 'SELECT 1;' >upgrades/3.0.3.sql
                echo data >FILPATCH/PATCH.dat
                echo 'CREATE TABLE a (b INTEGER);' >sql/V1__init.sql
                echo 'CREATE TABLE c (d INTEGER);' >sql/V2__add_leave.sql; echo 'DROP TABLE c;' >sql/U2__add_leave.sql
                """,
            ], in: host.root)
        try #require(outcome.code == 0, "\(outcome)")
    }

    /// The blocks of the section, in their order.
    static let blocks: [String] = {
        let page = (#filePath as NSString).deletingLastPathComponent + "/../../../docs/vendor.md"
        let text = (try? String(contentsOfFile: page, encoding: .utf8)) ?? ""
        let section = text.components(separatedBy: "\n## From what you have\n").last?.components(separatedBy: "\n## ")
            .first
        let parts = section?.components(separatedBy: "\n```\n") ?? []
        return parts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    }()

    @Test(arguments: [
        (0, "ACME_2-2.0.zip", ["ACME_2/bin/acme", "ACME_2/upgrades/2.0.sh", "README"]),
        (
            1, "ALTERNC-3.0.3.zip",
            ["ALTERNC/upgrades/0.9.1_migrationldap.php", "ALTERNC/upgrades/3.0.0~b.sh", "ALTERNC/upgrades/3.0.3.sql"]
        ),
        (2, "X3V8_P2-8.0.2.zip", ["X3V8_P2/FILPATCH/PATCH.dat"]),
        (3, "APP-2.zip", ["APP/migrations/V1__init.sql", "APP/migrations/V2__add_leave.down.sql"]),
    ]) func `from a tarball, AlternC, Sage and Flyway work`(number: Int, archive: String, entries: [String]) throws {
        try #require(Self.blocks.count == 4)
        let places = host.places(for: []).joined(separator: " ")
        let script = "patchctl() { \(host.program("patchctl")) \"$@\" \(places); }\n" + Self.blocks[number]
        let outcome = try Installation.run("/bin/sh", ["-ec", script], in: host.root)
        #expect(outcome.code == 0, "\(outcome)")
        #expect(host.exists(archive) && host.exists("\(archive).sig"), "\(outcome)")
        let list = try Installation.run("/usr/bin/unzip", ["-Z1", archive], in: host.root).output.split(separator: "\n")
        for entry in entries { #expect(list.contains(Substring(entry)), "\(list)") }
    }
}
