import Foundation
import Support
import Testing

/// `Fixtures/web-server` with a directory of its own, and an authority that nobody else knows.
final class WebServer {
    /// What is served; beside it are `.log` and `.behaviour`.
    let directory: String
    /// `https://localhost:PORT`.
    let url: String
    private let server: RunningProgram

    static let program = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../Fixtures/web-server").standardizedFileURL.path

    init(in place: String) throws {
        directory = "\(place)/web"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try WebServer.makeCertificate("\(place)/server.pem")
        let server = try RunningProgram(WebServer.program, [directory, "\(place)/server.pem"])
        self.server = server
        let end = Date().addingTimeInterval(30)
        while !server.output.hasSuffix("\n"), server.isRunning, Date() < end { poll(nil, 0, 10) }
        let port = try #require(Int(server.output.trimmingCharacters(in: .newlines)), "\(server.errors)")
        url = "https://localhost:\(port)"
    }

    /// Key and certificate in one file, which is its own authority.
    static func makeCertificate(_ path: String) throws {
        try Command.tool(
            "/bin/sh", "-c",
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout \(path).key -out \(path).crt && cat \(path).key \(path).crt >\(path)
            """)
    }

    /// What curl has to have in its environment to believe this server.
    var environment: [String: String] { ["CURL_CA_BUNDLE": "\(directory)/../server.pem.crt", "no_proxy": "localhost"] }

    /// What it does from now on, besides serving files.
    func behave(_ words: String) throws {
        try Data(words.utf8).write(to: URL(fileURLWithPath: directory + ".behaviour"))
    }

    /// The requests since the last time, and how many bytes of files they got.
    func requests() -> [(path: String, range: String, bytes: Int)] {
        let text = (try? String(contentsOfFile: directory + ".log", encoding: .utf8)) ?? ""
        unlink(directory + ".log")
        return text.split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            return (words[0], words[1], Int(words[2]) ?? 0)
        }
    }
}
