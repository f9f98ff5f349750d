import Foundation
import Testing

/// The samples of docs/applications.md, taken from the page and run.
@Suite struct `The samples for applications` {
    /// How a language's sample is started, after `build` where it needs that.
    struct Sample: Sendable, CustomTestStringConvertible {
        var language: String
        var file: String
        var build: [String]?
        var command: [String]
        var testDescription: String { language }
    }

    static let samples = [
        Sample(language: "sh", file: "application.sh", command: ["/bin/sh", "application.sh"]),
        Sample(language: "php", file: "application.php", command: ["/usr/bin/php", "application.php"]),
        Sample(language: "python", file: "application.py", command: ["/usr/bin/python3", "application.py"]),
        Sample(
            language: "c", file: "application.c",
            build: ["/usr/bin/cc", "-Wall", "-Wextra", "-Werror", "-o", "application", "application.c"],
            command: ["./application"]),
        Sample(language: "java", file: "Application.java", command: ["/usr/bin/java", "Application.java"]),
    ]

    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    /// Writes the sample to a file and builds it.
    private func prepare(_ sample: Sample) throws {
        let page = (#filePath as NSString).deletingLastPathComponent + "/../../../docs/applications.md"
        let text = try String(contentsOfFile: page, encoding: .utf8)
        let blocks = text.components(separatedBy: "\n```\(sample.language)\n")
        try #require(blocks.count == 2, "the page has one sample in \(sample.language)")
        let end = try #require(blocks[1].range(of: "\n```\n"))
        try host.write(blocks[1][..<end.lowerBound] + "\n", sample.file)
        if let build = sample.build {
            let outcome = try Installation.run(build[0], Array(build.dropFirst()), in: host.root)
            try #require(outcome.code == 0, "\(outcome.errors)")
        }
    }

    private func start(_ sample: Sample, under guarding: [String] = []) throws -> RunningProgram {
        var words = guarding + sample.command + ["\(host.root)/srv/SEED"]
        if words[0] == "./application" { words[0] = "\(host.root)/application" }
        return try RunningProgram(words[0], Array(words.dropFirst()), in: host.root)
    }

    @Test(arguments: samples) func `do not start while the folder is locked, announced or not`(sample: Sample) throws {
        try prepare(sample)
        for (code, phase) in [(9998, "announced"), (9999, "updating")] {
            try host.lock("SEED", code: code, phase: phase)
            let program = try start(sample)
            #expect(program.end() == 5, "\(program.errors)")
            #expect(program.output == "" && !host.isInUse("SEED"))
        }
    }

    @Test(arguments: samples) func `work until 9999, and leave then`(sample: Sample) throws {
        try prepare(sample)
        let program = try start(sample)
        #expect(host.until("works") { program.output == "working in \(host.root)/srv/SEED\n" }, "\(program.errors)")
        #expect(host.isInUse("SEED") == (sample.language != "java"), "Java has no flock")
        try host.lock("SEED", code: 9998, phase: "announced", deadline: 3600)
        // A look takes place every second; this test is about what two of them do.
        var looks = 0
        #expect(
            host.until("stays") {
                looks += 1; return looks > 100 || !program.isRunning
            })
        #expect(program.isRunning, "9998 is no reason to end")
        try host.lock("SEED", phase: "disconnect", deadline: 3600)
        #expect(program.end() == 0, "\(program.errors)")
        #expect(program.output.hasSuffix("left\n") && !host.isInUse("SEED"))
    }

    @Test func `in Java are inside with guard, and leave when it says so`() throws {
        let java = try #require(Self.samples.last)
        try prepare(java)
        let guarding = [host.program("patchctl")] + host.placed(["guard", "payroll/SEED", "--"])
        let program = try start(java, under: guarding)
        #expect(host.until("works") { program.output.hasPrefix("working") }, "\(program.errors)")
        #expect(host.isInUse("SEED"))
        try host.lock("SEED", phase: "disconnect", deadline: 3600)
        #expect(program.end() == 5)
        #expect(program.output.hasSuffix("left\n"))
        #expect(!host.isInUse("SEED"))
    }
}
