import Foundation
import Testing

@Suite struct `The modules` {
    /// What each module may import of ours, and of C; the arrows of docs/architecture.md.
    static let allowed: [String: Set<String>] = [
        "PatchJSON": [],
        "PatchModel": ["PatchJSON"],
        "PatchPlan": ["PatchJSON", "PatchModel"],
        "PatchFiles": ["CLinux", "CCrypto"],
        "PatchArchive": ["CArchive", "PatchFiles", "PatchJSON", "PatchModel"],
        "PatchConfig": ["CYAML", "PatchJSON", "PatchModel"],
        "PatchLedger": ["PatchFiles", "PatchJSON", "PatchModel"],
        "PatchSQL": ["CFirebird", "CSQLite", "PatchFiles", "PatchJSON", "PatchModel"],
        "PatchStore": ["PatchFiles", "PatchJSON", "PatchModel"],
        "PatchSteps": ["PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchSQL"],
        "Systemd": ["CSystemd"],
        "Supervisor": [
            "PatchConfig", "PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchPlan", "PatchStore",
        ],
        "patchd": ["PatchConfig", "PatchFiles", "PatchJSON", "PatchModel", "Supervisor", "Systemd"],
        "patchd-worker": ["PatchArchive", "PatchFiles", "PatchJSON", "PatchModel", "PatchSteps"],
        "patchctl": [
            "PatchConfig", "PatchFiles", "PatchLedger", "PatchJSON", "PatchModel", "PatchPlan", "PatchStore", "Systemd",
        ],
    ]

    /// Anything else is a dependency that somebody has to give a reason for in docs/decisions/code.md#dependencies.
    static let outside: Set<String> = [
        "ArgumentParser", "Dispatch", "FoundationEssentials", "Glibc", "Logging", "Synchronization",
    ]

    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../Sources"
    ).standardizedFileURL

    /// Each module's imports, with the file that has them.
    private func imports() throws -> [(module: String, imported: String, file: String)] {
        var found: [(String, String, String)] = []
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" {
            let relative = String(file.path.dropFirst(Self.sources.path.count + 1))
            let module = String(relative.prefix { $0 != "/" })
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at <= 1, at + 1 < words.count,
                    at == 0 || ["public", "internal", "private", "package"].contains(String(words[0]))
                else { continue }
                found.append((module, String(words[at + 1]), relative))
            }
        }
        return found
    }

    @Test func `import only what lies below them`() throws {
        let all = try imports()
        #expect(all.count > 50)
        for (module, imported, file) in all where !Self.outside.contains(imported) {
            #expect(Self.allowed[module]?.contains(imported) == true, "\(file) imports \(imported)")
        }
    }

    @Test func `leave each C module to one of them`() throws {
        var importers: [String: Set<String>] = [:]
        for (module, imported, _) in try imports() where imported.hasPrefix("C") {
            importers[imported, default: []].insert(module)
        }
        #expect(!importers.isEmpty)
        for (imported, modules) in importers { #expect(modules.count == 1, "\(imported): \(modules.sorted())") }
    }

    @Test func `never force what can fail`() throws {
        // A child of a task group that returns a tuple from a closure that catches crashes where Swift 6.3.1 optimizes it.
        let forbidden = ["try!", "fatalError(", " Task {", "Task.detached", " as! ", "TaskGroup(of: ("]
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            let found = forbidden.filter(text.contains)
            #expect(found.isEmpty, "\(file.lastPathComponent)")
        }
    }

    /// What others wrote must not reach an admin's terminal as it is, so nothing of patchctl prints past its `Stream`.
    @Test func `print from patchctl through one file, which makes everything printable`() throws {
        let printing = /(^|[^.\w])(print|puts|fputs|putchar|fwrite|printf|fprintf|vprintf|dprintf|perror|write)\(/
        let naming =
            /STDOUT_FILENO|STDERR_FILENO|Glibc\.write|FileHandle|\bstdout\b|\bstderr\b|exit\(withError|\\u\{1B\}/
        let sources = Self.sources.appendingPathComponent("patchctl")
        var found: [String] = []
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" && file.lastPathComponent != "Stream.swift" {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            where !line.contains("func ") && (line.contains(printing) || line.contains(naming)) {
                found.append("\(file.lastPathComponent):\(line)")
            }
        }
        // Asking what it is writes nothing.
        #expect(found.filter { !$0.hasPrefix("Screen.swift:") } == [])
    }

    @Test func `tell no event without an entry in the catalogue, and none that nobody tells`() throws {
        let text = try String(
            contentsOf: Self.sources.appendingPathComponent("Supervisor/Reporting/Event.swift"), encoding: .utf8)
        let catalogue = try String(
            contentsOf: Self.sources.appendingPathComponent("../share/catalog/patchd.catalog").standardizedFileURL,
            encoding: .utf8)
        var all = ""
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" && file.lastPathComponent != "Event.swift" {
            all += try String(contentsOf: file, encoding: .utf8)
        }
        let cases = text.matches(of: /case (\w+) = "([0-9a-f]{32})"/)
        #expect(cases.count > 20)
        #expect(Set(cases.map(\.output.2)).count == cases.count)
        for found in cases {
            #expect(catalogue.contains("-- \(found.output.2)\nSubject: "), "\(found.output.1)")
            #expect(all.contains(".\(found.output.1)"), "nobody tells \(found.output.1)")
        }
        #expect(catalogue.components(separatedBy: "\n-- ").count - 1 == cases.count)
        let nameless = all.matches(of: /log\.(warning|error|notice|info|critical)\(/).map { String($0.output.0) }
        #expect(nameless == [], "told without an id")
    }
}
