import Foundation
import PatchArchive
import PatchFiles
import PatchModel
import Testing

@Suite struct PackTests {
    private func pack(_ source: String, to path: String) throws {
        let file = try File.open(path, O_RDWR | O_CREAT | O_TRUNC)
        try ArchiveWriter.pack(directory: Directory.open(source), to: file)
    }

    private func folder(_ scratch: Scratch) throws -> String {
        let source = try scratch.directory("source")
        try Sample.write(to: source)
        try FileManager.default.createDirectory(
            atPath: source + "/P/FILPATCH/nothing", withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: source + "/P/FILPATCH/empty.txt"))
        try Data([1]).write(to: URL(filePath: source + "/P/FILPATCH/über.txt"))
        return source
    }

    @Test("A packed folder passes the check, its manifest first, modes as they are, leftovers gone")
    func pack() throws {
        let scratch = try Scratch()
        let source = try folder(scratch)
        try Data([1]).write(to: URL(filePath: source + "/P/.DS_Store"))
        let path = scratch.path + "/out.zip"
        try pack(source, to: path)
        let verdict = try check(path)
        #expect(verdict.story == "accepted")
        #expect(verdict.update?.entries.count == 10)
        #expect(verdict.update?.entries.first { $0.path == "P/FILPATCH/sub/run.sh" }?.mode == 0o755)
        #expect(verdict.update?.entries.first { $0.path == "P/FILPATCH/b.txt" }?.mode == 0o640)
        #expect(try #require(try OtherReaders.zipfile([path])[path]) == verdict.hashes)
        let names = try run(["python3", "-m", "zipfile", "-l", path], in: scratch.path)
        #expect(names.split(separator: "\n").dropFirst().first?.hasPrefix("update.json") == true)
    }

    @Test("The same content gives the same bytes, whenever, wherever and by whom it is packed")
    func deterministic() throws {
        let scratch = try Scratch()
        let source = try folder(scratch)
        try pack(source, to: scratch.path + "/one.zip")
        try run(["find", ".", "-exec", "touch", "-d", "2001-02-03", "{}", "+"], in: source)
        try pack(source, to: scratch.path + "/two.zip")
        #expect(
            FileManager.default.contentsEqual(atPath: scratch.path + "/one.zip", andPath: scratch.path + "/two.zip"))
    }

    @Test("Links, setuid files and names that no update may bring are refused by name")
    func refused() throws {
        let scratch = try Scratch()
        let cases: [(String, RefusalCode, (String) throws -> Void)] = [
            (
                "link", .entryType,
                { try FileManager.default.createSymbolicLink(atPath: $0 + "/P/link", withDestinationPath: "x") }
            ),
            ("pipe", .entryType, { mkfifo($0 + "/P/pipe", 0o600) }),
            ("setuid", .entryType, { chmod($0 + "/P/FILPATCH/a.txt", 0o4755) }),
            ("space", .entryName, { try Data().write(to: URL(filePath: $0 + "/P/a ")) }),
            ("bytes", .entryName, { close(open($0 + "/P/\u{1}", O_CREAT | O_WRONLY, 0o600)) }),
        ]
        for (name, code, spoil) in cases {
            let source = try scratch.directory(name)
            try Sample.write(to: source)
            try spoil(source)
            let failure = #expect(throws: ArchiveFailure.self) { try pack(source, to: scratch.path + "/\(name).zip") }
            guard case .refused(let refusal) = failure else {
                Issue.record("\(name): \(String(describing: failure))")
                continue
            }
            #expect(refusal.code == code)
        }
    }
}
