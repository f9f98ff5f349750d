import PatchJSON

/// The text of a job's file. A job may have thousands of folders, and is written whenever one of them changes: what is said of
/// the others is not made anew.
public struct JobPage: Sendable {
    private struct Part {
        let folder: FolderJob
        let text: [UInt8]
    }

    private var parts: [String: Part] = [:]
    private var names: [String] = []

    /// Nothing is known yet.
    public init() {}

    /// The page that ``JSONText/page(_:)`` makes of a job.
    public mutating func text(of job: Job) throws -> [UInt8] {
        var head = job
        head.folders = [:]
        let page = try JSONText.page(head)
        // No text has this in it: there, line feeds and quotes are escaped.
        guard let key = page.firstRange(of: Array("\n  \"folders\" : {".utf8)),
            let end = page[key.upperBound...].firstIndex(of: UInt8(ascii: "}")), !job.folders.isEmpty
        else { return try JSONText.page(job) }
        if parts.count != job.folders.count || !job.folders.keys.allSatisfy({ parts[$0] != nil }) {
            parts = parts.filter { job.folders[$0.key] != nil }
            names = job.folders.keys.sorted()
        }
        var text = Array(page[..<key.upperBound])
        for (index, name) in names.enumerated() {
            guard let folder = job.folders[name] else { continue }
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += try part(name, folder)
        }
        return text + Array("\n  ".utf8) + page[end...]
    }

    private mutating func part(_ name: String, _ folder: FolderJob) throws -> [UInt8] {
        if let known = parts[name], known.folder == folder { return known.text }
        var text = Array("\n    ".utf8) + (try JSONText.line(name)) + Array(" : ".utf8)
        for byte in try JSONText.page(folder).dropLast() {
            text.append(byte)
            if byte == UInt8(ascii: "\n") { text += Array("    ".utf8) }
        }
        parts[name] = Part(folder: folder, text: text)
        return text
    }
}
