import Glibc
import Logging
import PatchFiles
import PatchJSON
import PatchModel

/// What becomes of the files of requests and answers.
extension Requests {
    func give(_ answer: Answer, to name: String, _ status: FileStatus) throws {
        let answers = try Directory.open(context.spool.answers)
        // Who waits for an answer finds it by its name alone; another's is not to be taken for it.
        if let before = try answers.status(name), before.uid != status.uid, geteuid() == 0 {
            return context.logger.log(
                .answerNotGiven,
                "request \(name) of uid \(status.uid) gets no answer: one of that name is uid \(before.uid)'s")
        }
        try answers.replaceFile(name, with: JSONText.page(answer), mode: 0o640)
        if getuid() == 0, fchownat(answers.descriptor, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) != 0 {
            context.logger.log(
                .answerNotGiven, "cannot give the answer to request \(name) to uid \(status.uid), who asked")
        }
    }

    /// What is no file is moved aside, where nobody looks for it: a directory holds what is somebody else's.
    func remove(_ name: String, from requests: borrowing Directory) throws(FileError) {
        do throws(FileError) {
            try requests.remove(name)
        } catch {
            guard error.number == EISDIR || error.number == EPERM else { throw error }
            try requests.renameNew(name, to: requests, ".refused-\(UInt64.random(in: .min ... .max))")
        }
    }

    /// Removes answers that are a day old, and what those who asked left hidden.
    func removeOld() throws(FileError) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let oldest = (Int64(now.tv_sec) - 86400) * 1_000_000_000
        for (place, isHidden) in [(context.spool.answers, false), (context.spool.requests, true)] {
            let directory = try Directory.open(place)
            for name in try directory.names() where name.hasPrefix(".") == isHidden {
                guard let status = try directory.status(name), status.modified < oldest else { continue }
                // What cannot be removed, such as a directory that holds something, harms nobody where it is.
                if (try? directory.remove(name)) == nil { _ = try? directory.removeDirectory(name) }
            }
        }
    }
}
