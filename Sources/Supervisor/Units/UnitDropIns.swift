import Glibc
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Units that files may keep down.
struct GuardedUnits: Hashable, Sendable {
    /// Units, and templates, with which all their instances are kept down.
    var names: Set<String> = []
    /// Instances that run for the time of an update, though their template is kept down.
    var spared: Set<String> = []

    mutating func formUnion(_ other: GuardedUnits) {
        names.formUnion(other.names)
        spared.formUnion(other.spared)
    }
}

/// The drop-ins that let a file keep a unit down. A unit that was only stopped is brought up again by a timer, a socket,
/// another unit's `Wants=` or a reboot; a condition holds against all of them and is no error to any. They are written
/// when an endpoint is loaded, so that within a job only files appear and disappear.
struct UnitDropIns: Sendable {
    /// `/etc/systemd/system`.
    let directory: String
    let state: StateDirectory
    let units: any Units

    /// Late in the order, because a later file may reset conditions.
    static let fileName = "90-patchd.conf"
    /// Of a template. An instance takes files of its template's directory, but for those whose names are in its own: so it
    /// has another name than ``fileName``, and an instance is spared by a file of this name without a condition.
    static let templateFileName = "90-patchd-instances.conf"

    /// As ``Unit/conditions`` shows it.
    func condition(of unit: String) -> String { "ConditionPathExists=!\(state.quiesced)/\(unit)" }

    /// By unit, the drop-ins' texts by name.
    private func files(_ guarded: GuardedUnits) -> [String: [String: String]] {
        let place = state.quiesced.replacing("%", with: "%%")
        var files: [String: [String: String]] = [:]
        for name in guarded.names {
            let isTemplate = UnitSelection.isTemplate(name)
            files[name, default: [:]][isTemplate ? Self.templateFileName : Self.fileName] = """
                # Written by patchd, which applies updates to applications. While the file below exists, an update keeps
                # \(isTemplate ? "these units" : "this unit") down, and starting \(isTemplate ? "them" : "it") does nothing. Why, and what to do: patchctl status
                # Where patchd was removed: rm \(directory)/\(name).d/\(isTemplate ? Self.templateFileName : Self.fileName) && systemctl daemon-reload
                [Unit]
                ConditionPathExists=!\(place)/\(isTemplate ? name : "%n")

                """
        }
        for name in guarded.spared {
            files[name, default: [:]][Self.templateFileName] =
                "# Written by patchd. This unit runs during updates, in which the others of its template are kept down.\n"
        }
        return files
    }

    /// Writes what is missing for units that exist, and has it read.
    func add(_ guarded: GuardedUnits) throws {
        var isChanged = false
        let top = try Directory.open(directory)
        for (unit, files) in files(guarded).sorted(by: { $0.key < $1.key }) {
            let own = try top.ensureDirectory(unit + ".d", mode: 0o755)
            for (name, text) in files.sorted(by: { $0.key < $1.key }) {
                let bytes = Array(text.utf8)
                if try own.readFile(name) == bytes { continue }
                try own.replaceFile(name, with: bytes, mode: 0o644)
                isChanged = true
            }
        }
        if isChanged { try units.reload() }
    }

    /// Makes the drop-ins exactly those for these units, but for units that are kept down.
    func set(_ guarded: GuardedUnits) throws {
        let files = files(guarded)
        let down = try state.keptDown()
        let top = try Directory.open(directory)
        var isChanged = false
        for name in try top.names() where name.hasSuffix(".d") {
            let unit = String(name.dropLast(2))
            guard !down.contains(unit), try top.status(name)?.kind == .directory else { continue }
            let old = try [Self.fileName, Self.templateFileName].filter { file in
                try files[unit]?[file] == nil && top.status(name + "/" + file) != nil
            }
            if old.isEmpty { continue }
            let own = try top.directory(name)
            for file in old { try own.remove(file) }
            if try own.names().isEmpty { try top.removeTree(name) }
            isChanged = true
        }
        try add(guarded)
        if isChanged { try units.reload() }
    }
}
