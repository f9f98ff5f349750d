import Foundation
import PatchArchive
import PatchFiles
import PatchModel
import Support
import Testing

@Suite struct RobustnessTests {
    /// Real deflate data, a comment, a directory.
    private func realArchive(in scratch: Scratch) throws -> [UInt8] {
        let source = try scratch.directory("source")
        try Sample.write(to: source)
        try run(["zip", "-qrz", scratch.path + "/real.zip", "."], in: source, input: "hello\n.\n")
        return Array(try Data(contentsOf: URL(filePath: scratch.path + "/real.zip")))
    }

    @Test("An archive cut at any byte is incomplete")
    func truncation() throws {
        let scratch = try Scratch()
        var streamed = Sample.zip
        streamed.isZip64 = true
        streamed.members = streamed.members.map { $0.deflated().streamed() }
        for bytes in [try realArchive(in: scratch), streamed.bytes()] {
            let path = try scratch.file("cut.zip", bytes)
            #expect(try check(path).outcome == "accepted")
            for length in (0..<bytes.count).reversed() {
                #expect(truncate(path, off_t(length)) == 0)
                let verdict = try check(path)
                #expect(verdict.outcome == "incomplete", "\(length): \(verdict.story)")
            }
        }
    }

    @Test("Bytes at random after a zip's beginning are refused")
    func noise() throws {
        var random = SeededGenerator(seed: 1)
        for length in [30, 100, 1000, 70000] {
            let noise = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let bytes = [0x50, 0x4B, 3, 4] + noise
            #expect(try check(bytes).outcome == "incomplete")
            #expect(try check(bytes + le32(0x0605_4B50) + noise.prefix(16) + [0, 0]).outcome != "accepted")
        }
    }

    @Test("Memory does not grow with the size of what is unpacked")
    func memory() throws {
        let scratch = try Scratch()
        try Data(Sample.manifest.utf8).write(to: URL(filePath: scratch.path + "/update.json"))
        let script = """
            import sys, zipfile
            with zipfile.ZipFile("big.zip", "w", 8, compresslevel=1) as z:
                z.write("update.json")
                with z.open("P/FILPATCH/zeros", "w") as f:
                    for _ in range(512): f.write(bytes(1 << 20))
            """
        try run(["python3", "-c", script], in: scratch.path)
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
        let before = try peak()
        let verdict = try check(scratch.path + "/big.zip")
        #expect(verdict.story == "accepted")
        #expect(verdict.update?.entries.first { $0.path.hasSuffix("zeros") }?.size == 512 << 20)
        #expect(try peak() - before < 64 << 10)
    }

    /// Peak resident memory in KiB since it was last reset (proc(5), clear_refs).
    private func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
    }
}
