/// Ends a command with a message: what was being done, to what, the cause and the way out.
struct Failure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus = .failed, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ message: String) { self.init(.failed, message) }
}
