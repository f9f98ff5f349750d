import Glibc
import PatchFiles
import PatchModel
import PatchStore

/// The drop-ins that let a file keep a unit down. A unit that was only stopped is brought up again by a timer, a socket,
/// another unit's `Wants=` or a reboot; a condition holds against all of them and is no error to any. They are written
/// when an endpoint is loaded, so that within a job only files appear and disappear.
struct UnitGuards: Sendable {
    /// `/etc/systemd/system`.
    let directory: String
    let state: StateDirectory
    let units: any Units

    /// Late in the order, because a later file may reset conditions.
    static let fileName = "90-patchd.conf"

    /// As ``Unit/conditions`` shows it.
    func condition(of unit: String) -> String { "ConditionPathExists=!\(state.quiesced)/\(unit)" }

    private var text: String {
        let place = state.quiesced.replacing("%", with: "%%")
        return """
            # Written by patchd. While the file exists, an update keeps this unit down: see patchctl status.
            [Unit]
            ConditionPathExists=!\(place)/%n

            """
    }

    /// Writes what is missing for units that exist, and has it read.
    func add(_ names: Set<String>) throws {
        var isChanged = false
        let top = try Directory.open(directory)
        for name in names.sorted() {
            let own = try top.ensureDirectory(name + ".d", mode: 0o755)
            let bytes = Array(text.utf8)
            if try own.readFile(Self.fileName) == bytes { continue }
            try own.replaceFile(Self.fileName, with: bytes, mode: 0o644)
            isChanged = true
        }
        if isChanged { try units.reload() }
    }

    /// Makes the drop-ins exactly those for these units, but for units that are kept down.
    func set(_ names: Set<String>) throws {
        let kept = names.union(try state.keptDown())
        let top = try Directory.open(directory)
        var isChanged = false
        for name in try top.names() where name.hasSuffix(".d") && !kept.contains(String(name.dropLast(2))) {
            guard try top.status(name)?.kind == .directory, try top.status(name + "/" + Self.fileName) != nil else {
                continue
            }
            let own = try top.directory(name)
            try own.remove(Self.fileName)
            if try own.names().isEmpty { try top.removeTree(name) }
            isChanged = true
        }
        try add(names)
        if isChanged { try units.reload() }
    }
}
