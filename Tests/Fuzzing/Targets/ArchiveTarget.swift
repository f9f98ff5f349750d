import PatchArchive
import PatchFiles
import PatchModel

/// An archive from a vendor. Whatever is accepted is as clean as the contract says.
enum ArchiveTarget {
    /// Small ones, so that an honest bomb of the fuzzer's is refused at once.
    private static let limits: Limits = {
        var limits = Limits()
        (limits.unpacked, limits.entries) = (8 << 20, 4096)
        return limits
    }()

    static func run(_ bytes: [UInt8]) throws {
        let verdict = try ArchiveCheck.check(archive: File.inMemory(bytes), limits: limits)
        guard let update = verdict.update else {
            return try hold(verdict.refusal?.reason.isEmpty == false, "neither accepted nor refused with a reason")
        }
        try hold(verdict.refusal == nil, "accepted and refused")
        var paths: Set<ExactText> = []
        var size: UInt64 = 0
        for entry in update.entries {
            try hold(EntryName.problem(in: entry.path.utf8) == nil, "accepted the name \(entry.path.debugDescription)")
            try hold(paths.insert(ExactText(entry.path)).inserted, "accepted \(entry.path.debugDescription) twice")
            try hold((entry.mode ?? 0) & ~0o755 == 0, "accepted mode \(entry.mode ?? 0)")
            size += entry.size
        }
        try hold(size <= limits.unpacked, "accepted \(size) bytes")
        for path in paths {
            for parent in path.parents where paths.contains(parent) {
                let kind = update.entries.first { ExactText($0.path) == parent }?.kind
                try hold(kind == .directory, "accepted a file that is \(path)'s directory")
            }
        }
    }
}
