import Foundation
import Support
import Testing

/// A machine with patchd installed and an endpoint: `payroll`, at /srv/payroll, whose five folders belong to the user
/// `payroll` and have 8.0.1. It is off at first.
final class Deployment {
    static let tree = [
        ("PAIE", nil), ("SEED", "PAIE"), ("SEED2", "PAIE"), ("SEEDPROD", "PAIE"), ("SEEDPROD2", "SEEDPROD"),
    ]

    let machine: Machine
    var folders: [String] { Self.tree.map(\.0) }

    /// - Parameters:
    ///   - settings: further lines of the endpoint's file.
    ///   - install: puts patchd onto the machine; may switch it on.
    init(settings: String = "", install: (Machine) throws -> Void = { try $0.install() }) throws {
        machine = try Machine()
        try install(machine)
        try machine.write("/usr/lib/sysusers.d/payroll.conf", "u payroll - - /srv/payroll\n")
        for folder in folders { try machine.write("/srv/payroll/\(folder)/lib/a.dat", "old\n") }
        let owner = "systemd-sysusers payroll.conf && chown -R payroll:payroll /srv/payroll"
        if machine.isRunning { try machine.run(owner) } else { try machine.prepare(owner) }
        try configure(settings: settings)
    }

    /// Writes `endpoints.d/payroll.yaml`; a daemon that runs reads it when it is told to (`systemctl reload patchd`).
    func configure(settings: String = "") throws {
        let lines = Self.tree.map { name, parent in
            parent.map { "  - {name: \(name), parent: \($0)}" }
                ?? "  - {name: \(name), type: supervisor, version: 8.0.1, modules: [HRM]}"
        }
        try machine.write(
            "/etc/patchd/endpoints.d/payroll.yaml",
            "endpoint: payroll\npath: /srv/payroll\n\(settings)folders:\n" + lines.joined(separator: "\n") + "\n",
            mode: 0o640)
    }

    /// Writes a unit of the admin's.
    func service(_ name: String, _ text: String) throws {
        try machine.write("/etc/systemd/system/\(name)", text)
        if machine.isRunning { try machine.run("systemctl daemon-reload") }
    }

    /// Drops an archive, complete from the start, after its options.
    func drop(_ update: ExampleUpdate = ExampleUpdate(), as name: String = "update.zip", options: String? = nil) throws
    {
        let incoming = machine.path("/var/spool/patchd/incoming")
        if let options { try machine.write("/var/spool/patchd/incoming/\(name).json", options) }
        try update.pack(to: "\(incoming)/.\(name)")
        guard rename("\(incoming)/.\(name)", "\(incoming)/\(name)") == 0 else {
            throw Failure("dropping \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// A job's `job.json`; nil where there is no such job.
    func job(_ number: Int) throws -> [String: Any]? {
        guard let text = try? machine.read("/var/lib/patchd/jobs/\(number)/job.json") else { return nil }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }

    /// Waits until a job has a state; one that ends otherwise is an error at once.
    func until(job number: Int, is state: String, timeout: Duration = .seconds(60)) throws {
        try machine.until("job \(number) is \(state)", timeout: timeout) {
            let job = try self.job(number)
            let now = job?["state"] as? String
            if now != state, let now, ["done", "failed", "cancelled", "declined"].contains(now) {
                throw Failure("job \(number) is \(now), not \(state): \(job?["message"] ?? "no message")")
            }
            return now == state
        }
    }

    /// A folder's state file.
    func folder(_ name: String) throws -> [String: Any] {
        let text = try machine.read("/var/lib/patchd/endpoints/payroll/\(name).json")
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// A folder's `update.lock`; nil where there is none.
    func lock(_ name: String) throws -> [String: Any]? {
        guard let text = try? machine.read("/srv/payroll/\(name)/update.lock") else { return nil }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }

    /// A file of one of the folders.
    func read(_ folder: String, _ path: String) throws -> String { try machine.read("/srv/payroll/\(folder)/\(path)") }
}
