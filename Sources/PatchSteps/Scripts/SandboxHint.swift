import Glibc
import PatchFiles

/// Says of a program that failed that it may have been kept from something. Which call was refused is known to the program
/// only, so this goes by how it ended and by what it said last.
enum SandboxHint {
    /// What the kernel and the C library say of what a worker's service does not allow.
    private static let signs = [
        "Read-only file system", "Operation not permitted", "Address family not supported",
        "Network is unreachable", "name resolution", "resolve host", "Cannot allocate memory", "Cannot fork",
        "fork: retry",
    ]

    /// Whether this process runs in a service, which has a sandbox; else there is nothing to be kept from.
    static var isInService: Bool { getenv("INVOCATION_ID") != nil }

    /// The end of a failure's message; empty where nothing points to the sandbox.
    static func text(_ exit: ChildProcess.Exit, lastError: String) -> String {
        let isKilled = [.signal(SIGKILL), .signal(SIGSYS)].contains(exit)
        guard isKilled || signs.contains(where: { lastError.contains($0) }) else { return "" }
        return " (the endpoint's \"sandbox\" says what it may reach beyond its folder, and how much memory it may use)"
    }
}
