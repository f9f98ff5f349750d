import PatchModel
import Testing

@Suite struct `A failure's message` {
    @Test(arguments: [
        (
            "exit code 1; see its trace, fix the cause, then resume the job",
            "exit code 1; see its trace, fix the cause, then drop the archive again"
        ),
        (
            "no such table; fix the cause, then resume the job or drop a corrected archive",
            "no such table; fix the cause, then drop a corrected archive"
        ),
        (
            "a directory is there; move it away, then resume",
            "a directory is there; move it away, then drop the archive again"
        ),
        ("it printed: then resume the job; see its trace", "it printed: then resume the job; see its trace"),
        ("", ""),
    ])
    func `says to drop the archive again once the folder has gone back`(before: String, after: String) {
        #expect(Fault.messageAfterRevert(before) == after)
    }
}
