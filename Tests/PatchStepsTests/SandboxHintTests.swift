import Glibc
import PatchFiles
import Testing

@testable import PatchSteps

@Suite struct `The message of a script that failed` {
    @Test(arguments: [
        "sh: 1: cannot create /etc/x: Read-only file system", "mount: Operation not permitted",
        "socket: Address family not supported by protocol", "curl: (6) Could not resolve host: example.org",
        "fork: retry: Resource temporarily unavailable",
    ])
    func `points to the sandbox where that may have kept it from something`(line: String) {
        #expect(SandboxHint.text(.code(1), lastError: line).contains("\"sandbox\""))
    }

    @Test func `does so for one that was killed, for want of memory or for a call of another machine`() {
        for number in [SIGKILL, SIGSYS] { #expect(SandboxHint.text(.signal(number), lastError: "") != "") }
    }

    @Test func `does not for any other`() {
        #expect(SandboxHint.text(.code(1), lastError: "table account does not exist") == "")
        #expect(SandboxHint.text(.signal(SIGSEGV), lastError: "") == "")
    }
}
