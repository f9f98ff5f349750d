import PatchModel

/// A hold: the first line is its file's name, the rest its text. What people are shown is one short line.
enum HoldTarget {
    static func run(_ bytes: [UInt8]) throws {
        let parts = bytes.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(decoding: parts[0], as: UTF8.self)
        let target = Hold.Target(fileName: name)
        if let target { try hold(target.fileName == name, "\(name.debugDescription) is the hold \(target.fileName)") }
        let text = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
        let found = Hold(target ?? .all, text: text)
        try hold(found.reason.unicodeScalars.count <= 200, "a reason of more than 200 characters")
        try hold(!found.reason.unicodeScalars.contains { $0.value < 0x20 }, "a reason with control characters")
        try hold((found.pid ?? 1) > 0, "a hold of process \(found.pid ?? 0)")
    }
}
