import ArgumentParser
import Glibc
import PatchFiles

struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until a folder is unlocked; made for ExecStartPre=.",
        discussion: """
            Ends at once, with 0, where there is no update.lock. After --timeout it exits 5 and says who locked the folder. \
            An update may begin right afterwards; an application that must not run then is started with "patchctl guard".
            """)

    @Argument(help: "ENDPOINT/FOLDER.", completion: .folders)
    var folder: String

    @Option(help: "How long at most, such as 10m; 0 only looks. Default: as long as it takes.")
    var timeout: Length?

    @OptionGroup var directories: Directories

    func run() throws {
        let folder = try ApplicationFolder(folder, in: directories)
        let end = timeout.map { MonotonicClock.seconds + $0.seconds }
        var told: LockNotice?
        while true {
            // Before the lock is read: what changes in between ends the wait.
            let watch = try? DirectoryWatch([folder.path])
            guard let lock = try folder.lock() else { return }
            let rest = end.map { $0 - MonotonicClock.seconds } ?? .infinity
            if rest <= 0 { throw Failure(.waiting, "\(folder.name) \(lock.description)") }
            if told?.code != lock.code || told?.phase != lock.phase {
                Notes.line("waiting: \(folder.name) \(lock.description)")
                told = lock
            }
            // A watch is a hint, and may not be had.
            if let watch { watch.wait(seconds: min(rest, 1)) } else { MonotonicClock.wait(seconds: min(rest, 1)) }
        }
    }
}
