import Foundation
import Support
import Testing

@Suite struct `The file with metrics` {
    private let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private func text(_ host: Installation) throws -> String { try host.read("state/metrics/patchd.prom") }

    @Test func `says what became of an update, a refused archive and a hold, to everybody`() throws {
        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.write("no zip", "spool/incoming/bad.zip")
        #expect(try host.once().code == 1)
        var text = try text(host)
        for line in [
            #"patchd_jobs{state="done"} 1"#,
            #"patchd_folder_info{endpoint="payroll",folder="SEED",version="8.0.2",status="current"} 1"#,
            #"patchd_folder_locked{endpoint="payroll",folder="SEED"} 0"#, "patchd_spool_rejected_total 1",
            "patchd_config_refused 0",
        ] { #expect(text.contains(line + "\n"), "\(line) in \(text)") }
        #expect(text.contains(#"patchd_last_success_timestamp_seconds{endpoint="payroll"} 1"#))
        let downtime = text.split(separator: "\n").filter { $0.hasPrefix("patchd_last_downtime_seconds{") }
        #expect(downtime.count == 5, "\(text)")
        let mode = try FileManager.default.attributesOfItem(atPath: "\(host.root)/state/metrics/patchd.prom")
        #expect(mode[.posixPermissions] as? Int == 0o644)
        try host.write("closing", "spool/holds/payroll.SEED.lock")
        _ = try host.once()
        text = try self.text(host)
        #expect(text.contains("patchd_held{target=\"payroll/SEED\"} 1\n"), "\(text)")
        #expect(
            text.split(separator: "\n").filter { $0.hasPrefix("patchd_last_downtime_seconds{") } == downtime,
            "another run remembers them")
    }

    @Test func `follows a folder that fails, and its lock`() throws {
        let host = try Installation()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "exit 1\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(
            host.until("it is shown") {
                let text = (try? self.text(host)) ?? ""
                return text.contains(#"folder="PAIE",version="8.0.1",status="failed"} 1"#)
                    && text.contains(#"patchd_folder_locked{endpoint="payroll",folder="PAIE"} 1"#)
                    && text.contains(#"patchd_jobs{state="failed"} 1"#)
            })
    }

    @Test func `is as Prometheus wants it`() throws {
        // Only the tool itself can tell; its package brings a server along, so it is not installed for this alone.
        guard let promtool else { return }
        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.write("closing", "spool/holds/ALL.lock")
        _ = try host.once()
        let checked = try Installation.run(
            "/bin/sh", ["-c", "\(promtool) check metrics < \(host.root)/state/metrics/patchd.prom"])
        #expect(checked.code == 0 && checked.output.isEmpty && checked.errors.isEmpty, "\(checked)")
    }
}
