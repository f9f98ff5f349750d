import Glibc
import PatchFiles
import PatchModel

/// The program curl. Proxies, authorities, credentials and how slow a server may be are as it finds them: in the environment
/// and in the user's `.curlrc`.
struct Curl {
    /// One file that is fetched.
    struct Request {
        var url: SourceURL
        /// The name of a file in the directory.
        var output: String
        /// Bytes that the file may have.
        var limit: UInt64
        /// The part that is wanted; nil for all.
        var range: Range<UInt64>?
        /// Whether what the file has already is kept, and only the rest is fetched.
        var continues = false
        /// What the server said of the file before: if it has another one by now, no part of that is of use.
        var tag: String?
        /// Seconds that it may take; nil for any, as long as it is not slow.
        var patience: Int?
    }

    /// What became of a request.
    struct Answer {
        /// curl's own exit code; nil where it did not come to this request, or was ended.
        var exit: Int32?
        /// HTTP's; 0 where nobody answered, or for a file.
        var status = 0
        var tag: String?
        /// The `Content-Range`, without blanks.
        var range: String?
        /// What went wrong, in curl's words.
        var message = ""

        var isWhole: Bool { exit == 0 }
        /// Whether it broke off: the rest may come with the next request.
        var isCut: Bool { exit.map { [18, 52, 55, 56, 92].contains($0) } ?? false }
        /// Whether the server has more than the file may have.
        var isTooLarge = false
        /// Whether the server does not give this part of what it has.
        var isPartRefused: Bool { exit == 33 || status == 416 }
        /// Whether there is no such file.
        var isMissing: Bool { exit == 37 || status == 404 || status == 410 }
    }

    /// Bytes of an answer's headers that are read.
    private static let longestHead = 1 << 20
    /// Seconds after which curl is ended whatever it does. What it has fetched stays.
    private static let longest = 12.0 * 3600

    private let program: String
    /// The user's own settings; nil for none.
    private let settings: String?

    init() throws(Failure) {
        guard let program = ProgramPath.find("curl") else {
            throw Failure("updates are fetched by curl, which is not installed: apt install curl")
        }
        self.program = program
        let places = ["CURL_HOME", "XDG_CONFIG_HOME", "HOME"].compactMap { (name: String) -> String? in
            getenv(name).map { "\(String(cString: $0))/.curlrc" }
        }
        settings = places.first { access($0, R_OK) == 0 }
    }

    /// Fetches one file after the other, over one connection where that is possible. It ends at the first that fails.
    func run(_ requests: [Request], in directory: borrowing Directory) throws -> [Answer] {
        let orders = requests.enumerated().map { index, request in lines(request, head: ".head-\(index)") }
        let config = try File.inMemory(Array(("fail-early\n" + orders.joined(separator: "next\n")).utf8))
        let said = try File.inMemory([])
        let errors = try File.inMemory([])
        // A server cannot make it write more than that, whatever it announces; it ends with this program.
        let limit = max(requests.map(\.limit).max() ?? 0, UInt64(Self.longestHead))
        let child = try ChildProcess.start(
            "/usr/bin/setpriv",
            ["setpriv", "--pdeathsig", "TERM", "prlimit", "--fsize=\(limit)", program, "--disable", "--config", "-"],
            environment: Self.environment, in: directory, input: config.descriptor, output: said.descriptor,
            error: errors.descriptor)
        let exit = child.wait(seconds: Self.longest)
        let ends = try Self.text(said).split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
        let words = try Self.text(errors).split(separator: "\n")
        if exit == .code(126) || exit == .code(127) {
            throw Failure("cannot run \(program): \(words.joined(separator: "; "))")
        }
        let problem = words.last { $0.hasPrefix("curl: (") } ?? words.last
        let message = problem.map(String.init) ?? "curl ended with \(exit)"
        var answers: [Answer] = []
        for index in requests.indices {
            var answer = try Self.head(".head-\(index)", in: directory)
            if index < ends.count, let code = ends[index].first { answer.exit = Int32(clamping: code) }
            if !answer.isWhole { answer.message = message }
            answer.isTooLarge = answer.exit == 63 || answer.exit == nil && exit == .signal(SIGXFSZ)
            answers.append(answer)
            try directory.remove(".head-\(index)")
        }
        return answers
    }

    /// In the form of curl's own files: URLs may hold what is no business of others, and the list of processes is everybody's.
    private func lines(_ request: Request, head: String) -> String {
        let scheme = request.url.scheme.rawValue
        // What the user may have an own opinion of comes before their settings, which are for the first request only otherwise.
        var lines = ["connect-timeout = 30", "speed-limit = 1024", "speed-time = 60"]
        if let patience = request.patience { lines.append("max-time = \(patience)") }
        if let settings { lines.append("config = \"\(settings)\"") }
        lines += [
            "url = \"\(request.url)\"", "output = \"\(request.output)\"", "dump-header = \"\(head)\"",
            "max-filesize = \(request.limit)", "proto = \"=\(scheme)\"", "proto-redir = \"=\(scheme)\"",
            "user-agent = \"patchd/\(ProgramVersion.text)\"", "write-out = \"%{exitcode} %{http_code}\\n\"",
            "max-redirs = 5", "location", "fail", "silent", "show-error", "globoff", "suppress-connect-headers",
        ]
        if let range = request.range { lines.append("range = \(range.lowerBound)-\(range.upperBound - 1)") }
        if request.continues { lines.append("continue-at = -") }
        if let tag = request.tag { lines.append("header = \"If-Range: \(Self.quoted(tag))\"") }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func quoted(_ text: String) -> String {
        text.map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    /// What the last of an answer's header blocks says: those of redirects come before it.
    private static func head(_ name: String, in directory: borrowing Directory) throws -> Answer {
        var answer = Answer()
        guard let bytes = try directory.readFile(name, limit: longestHead) else { return answer }
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") {
                answer = Answer(status: line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " }
            switch parts[0].lowercased() {
            // A weak one says nothing about single bytes.
            case "etag" where value.hasPrefix("\"") && value.utf8.count <= 256: answer.tag = String(value)
            case "content-range": answer.range = value.filter { $0 != " " }
            default: continue
            }
        }
        return answer
    }

    private static func text(_ file: borrowing File) throws -> String {
        String(decoding: try file.read(limit: 256 << 10), as: UTF8.self)
    }

    private static var environment: [String] {
        var found: [String] = []
        var next = environ
        while let variable = next.pointee {
            found.append(String(cString: variable))
            next += 1
        }
        return found
    }
}
