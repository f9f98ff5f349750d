import Glibc
import Logging
import PatchFiles
import PatchModel

/// Answers `requests/`: one JSON file a command.
struct Requests: Sendable {
    let host: Host
    let jobs: JobTable

    private struct Answer: Codable {
        var ok: Bool
        var code: String
        var message: String
    }

    /// Answers everything that is there.
    ///
    /// - Returns: whether anything was answered.
    func answerAll() async throws -> Bool {
        let requests = try Directory.open(host.spool.requests)
        var answered = false
        for name in try requests.names() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            guard let status = try requests.status(name) else { continue }
            let answer: Answer
            do {
                answer = try await self.answer(name, status)
            } catch let refusal as Refusal {
                answer = Answer(ok: false, code: "requestInvalid", message: "\(refusal)")
            } catch {
                answer = Answer(ok: false, code: "io", message: "\(error)")
            }
            let answers = try Directory.open(host.spool.answers)
            try answers.replaceFile(name, with: JSONText.page(answer), mode: 0o640)
            if getuid() == 0, fchownat(answers.descriptor, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) != 0 {
                host.log.warning("cannot give the answer to request \(name) to who asked")
            }
            try requests.remove(name)
            try requests.sync()
            host.log.tell(
                .request, "request \(name) of uid \(status.uid): \(answer.message)", EventFields(code: answer.code))
            answered = true
        }
        return answered
    }

    private func answer(_ name: String, _ status: FileStatus) async throws -> Answer {
        guard status.kind == .file, status.links == 1, status.mode & 0o022 == 0 else {
            return Answer(
                ok: false, code: "requestInvalid",
                message: "a request is a plain file with one link that nobody else can write")
        }
        guard mayCommand(status.uid) else {
            return Answer(
                ok: false, code: "notPermitted",
                message: "uid \(status.uid) may not command; join group \(host.configuration.daemon.approvers)")
        }
        let requests = try Directory.open(host.spool.requests)
        let file = try requests.file(name)
        guard try file.status() == status, status.size <= 65536 else {
            return Answer(ok: false, code: "requestInvalid", message: "a request has at most 64 KiB and is not changed")
        }
        // The code of the refusal is never shown: an answer has its own codes.
        let request = try JSONReader(
            strictJSON: file.read(limit: 65536), file: name, refusedAs: .optionsInvalid
        ).object(required: ["command"], optional: ["job"])
        let command = try request["command"]?.text() ?? ""
        guard command == "resume" else {
            return Answer(ok: false, code: "requestInvalid", message: "command \"\(command)\" is not supported")
        }
        guard let number = try request["job"]?.integer() else {
            return Answer(ok: false, code: "requestInvalid", message: "resume needs \"job\"")
        }
        guard let job = await jobs.job(number) else {
            return Answer(ok: false, code: "unknownJob", message: "there is no job \(number); see: patchctl jobs")
        }
        guard try await jobs.resume(number) else {
            return Answer(
                ok: false, code: "wrongState",
                message: "job \(number) is \(job.state.rawValue); only a failed job is resumed")
        }
        return Answer(ok: true, code: "", message: "job \(number) goes on")
    }

    private func mayCommand(_ uid: UInt32) -> Bool {
        if uid == 0 || uid == geteuid() { return true }
        guard
            let group = getgrnam(host.configuration.daemon.approvers)?.pointee.gr_gid,
            let user = UserIdentity(uid: uid)
        else { return false }
        return user.groups.contains(group)
    }
}
