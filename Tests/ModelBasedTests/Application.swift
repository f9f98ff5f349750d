import Foundation
import Support

/// An application that runs under `patchctl guard --restart`. While it is inside, a file of its own is a copy of the
/// folder's state as it was when it started; when it is told to leave while the folder is already being changed, it says so
/// in `disturbed/`.
final class Application {
    private let guardian: Command
    private var ended: Int32?
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
        guardian = try Command.start(
            ["\(ModelHost.programs ?? "")/patchctl", "guard", "--restart"] + host.places + [
                "farm/\(folder)", "--", "/bin/sh", "-c", script, state, inside, changing,
                "\(host.root)/disturbed/\(folder)",
            ])
    }

    /// It is told to end, and has ended.
    deinit {
        if ended == nil {
            kill(guardian.process, SIGTERM)
            _ = guardian.end(wait: true)
        }
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
        else {
            ended = ended ?? guardian.end(wait: false)
            return ended.map { "ended with \($0)" } ?? "out"
        }
        return "in \(state["version"] as? String ?? "?")"
    }
}
