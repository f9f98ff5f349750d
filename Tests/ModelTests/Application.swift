import Foundation

/// An application that runs under `patchctl guard --restart`. While it is inside, a file of its own is a copy of the
/// folder's state as it was when it started; when it is told to leave while the folder is already being changed, it says so
/// in `disturbed/`.
final class Application {
    private let process = Process()
    private let inside: String

    init(_ folder: String, of host: ModelHost) throws {
        inside = "\(host.root)/inside-\(folder)"
        let state = "\(host.root)/state/endpoints/farm/\(folder).json"
        let changing = "\"status\" : \"\\(updating\\|reverting\\)\""
        let script = """
            trap 'if grep -q "$2" "$0"; then cp "$0" "$3"; fi; rm -f "$1"; kill $!; exit 0' TERM
            cp "$0" "$1.new"; mv "$1.new" "$1"
            while :; do sleep 1000 & wait; done
            """
        process.executableURL = URL(fileURLWithPath: "\(ModelHost.programs ?? "")/patchctl")
        process.arguments =
            ["guard", "--restart"] + host.places + [
                "farm/\(folder)", "--", "/bin/sh", "-c", script, state, inside, changing,
                "\(host.root)/disturbed/\(folder)",
            ]
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// It is told to end, and has ended.
    deinit {
        process.terminate()
        process.waitUntilExit()
        unlink(inside)
    }

    /// `in VERSION` or `out`, as soon as it is what is expected; what it is after a while otherwise.
    func place(expecting wanted: String) -> String {
        let end = Date().addingTimeInterval(20)
        while place != wanted, Date() < end { usleep(2000) }
        return place
    }

    private var place: String {
        guard let bytes = FileManager.default.contents(atPath: inside),
            let state = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        else { return process.isRunning ? "out" : "ended with \(process.terminationStatus)" }
        return "in \(state["version"] as? String ?? "?")"
    }
}
