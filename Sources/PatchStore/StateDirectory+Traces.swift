import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// Traces: what workers wrote, as the owners of their folders. No more of one is read than these bounds, whatever its size.
extension StateDirectory {
    /// Of one trace. A worker stops writing output long before.
    private static let traceLimit: Int64 = 1 << 30
    /// Of one line; what is longer is cut.
    private static let traceLine = 1 << 17

    /// Opens a folder's trace for programs, for appending, creating it. No worker may be writing it.
    public func trace(job: Int, folder: String) throws(StoreError) -> File {
        let file = try files { () throws(FileError) in
            let traces = try Directory.open(path + "/jobs/\(job)/traces")
            let file = try traces.appendingFile("\(folder).jsonl", mode: 0o640)
            try Self.cutTornLine(file)
            return file
        }
        try share("jobs/\(job)/traces/\(folder).jsonl")
        return file
    }

    /// A trace is not synced line by line, so a power cut may leave zeros or half a line at its end.
    private static func cutTornLine(_ file: borrowing File) throws(FileError) {
        let size = try file.status().size
        var whole = size
        // Further back there is no line of a worker's; what is longer is not looked through.
        let end = max(0, size - Int64(2 * traceLine))
        while whole > end {
            let start = max(end, whole - 4096)
            let block = try file.read(at: start, limit: Int(whole - start))
            if let feed = block.lastIndex(of: UInt8(ascii: "\n")) {
                whole = start + Int64(feed) + 1
                break
            }
            whole = start
        }
        if whole < size { try file.truncate(to: whole) }
    }

    /// Hands on what was traced of a folder in a job, for people, line by line.
    ///
    /// - Returns: whether there is a trace.
    public func forEachTraceLine(
        job: Int, folder: String, _ body: (TraceLine) throws -> Void
    ) throws -> Bool {
        guard let file = try traceFile(job, folder) else { return false }
        _ = try Self.lines(of: file, from: 0, body)
        return true
    }

    private func traceFile(_ job: Int, _ folder: String) throws(StoreError) -> File? {
        do throws(FileError) {
            return try Directory.open(path).file("jobs/\(job)/traces/\(folder).jsonl")
        } catch {
            if error.number == ENOENT { return nil }
            throw StoreError(error)
        }
    }

    /// - Returns: where the first line begins that is not whole.
    private static func lines(
        of file: borrowing File, from offset: Int64, _ body: (TraceLine) throws -> Void
    ) throws -> Int64 {
        var last: TraceLine?
        var at = offset
        return try file.forEachLine(
            from: offset, longest: traceLine, onError: { (error: FileError) -> any Error in StoreError(error) }
        ) { (json, isWhole) throws in
            // A last one that is not whole is being written.
            guard isWhole else { return false }
            at += Int64(json.count + 1)
            guard let line = TraceLine(json, after: last) else { return true }
            last = line
            try body(line)
            return at < traceLimit
        }
    }

    /// How far the trace for people is.
    private struct Rendering: Codable {
        /// Another boot's may be lost in part.
        var boot: String
        /// The trace for programs is rendered up to here.
        var source: Int64
        /// How long that made the trace for people.
        var size: Int64
    }

    /// Brings the trace for people up to date with the one for programs, reading only what came since the last time. Output
    /// decides nothing (contract §4), so what cannot be rendered stays so: `patchctl trace` reads the other one.
    ///
    /// - Parameter isOver: whether the worker has ended; the traces are made durable then.
    public func renderTrace(job: Int, folder: String, isOver: Bool = true) {
        do { try render(job, folder, isOver) } catch {}
    }

    private func render(_ job: Int, _ folder: String, _ isOver: Bool) throws {
        guard let file = try traceFile(job, folder) else { return }
        let traces = try Directory.open(path + "/jobs/\(job)/traces")
        let (name, notes) = ("\(folder).log", ".\(folder).rendered")
        let boot = BootID.current
        var known = try traces.readFile(notes, limit: 4096).flatMap { try? JSONText.read(Rendering.self, $0) }
        let log = try traces.appendingFile(name, mode: 0o640)
        if try known?.boot != boot || boot.isEmpty || known?.size != log.status().size { known = nil }
        var rendering = known ?? Rendering(boot: boot, source: 0, size: 0)
        if known == nil {
            try log.truncate(to: 0)
            try share("jobs/\(job)/traces/\(name)")
        }
        var text: [UInt8] = []
        func flush() throws(FileError) {
            try log.write(text)
            rendering.size += Int64(text.count)
            text.removeAll(keepingCapacity: true)
        }
        rendering.source = try Self.lines(of: file, from: rendering.source) { line in
            text += Array(line.description.utf8)
            text.append(UInt8(ascii: "\n"))
            if text.count >= 1 << 18 { try flush() }
        }
        try flush()
        let note = try JSONText.line(rendering)
        try traces.remove(notes)
        try traces.createFile(notes).write(note)
        guard isOver else { return }
        try file.sync()
        try log.sync()
    }
}
