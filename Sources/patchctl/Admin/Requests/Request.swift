import ArgumentParser
import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// Asks the daemon through `requests/` and waits for its answer.
struct Request {
    let directories: Directories

    private var path: String { directories.spoolDir + "/requests" }

    /// - Throws: ``Failure`` with the contract's code when the daemon refuses or does not answer.
    func send(_ command: JSONValue, called word: String, timeout: Double) throws {
        let name = "\(word)-\(getpid())-\(UInt32.random(in: .min ... .max)).json"
        try put(command, name)
        guard let answer = try answer(to: name, timeout: timeout) ?? withdraw(name) else {
            throw Failure(
                .noDaemon, "no daemon answered within \(Int(timeout)) s; the request is withdrawn. Is patchd running?")
        }
        let message = answer.message ?? ""
        guard answer.ok else {
            let code = answer.code ?? ""
            throw Failure(AnswerCode.status(of: code), message.isEmpty ? code : "\(code): \(message)")
        }
        Output.line(message.isEmpty ? "ok" : message)
    }

    private func put(_ command: JSONValue, _ name: String) throws(Failure) {
        do throws(FileError) {
            let requests = try Directory.open(path)
            let temporary = ".\(name).tmp"
            do throws(FileError) {
                let file = try requests.createFile(temporary, mode: 0o600)
                try file.write(command.serialized)
                try file.sync()
                try requests.renameNew(temporary, to: requests, name)
            } catch {
                try? requests.remove(temporary)
                throw error
            }
        } catch {
            let hint =
                error.number == EACCES || error.number == EPERM
                ? "; members of group patchd may ask: \"adduser \(UserName.own) patchd\""
                : "; name the spool with --spool-dir"
            throw Failure("cannot ask the daemon: \(error)\(hint)")
        }
    }

    /// Takes back what nobody answered: an answer that nobody waits for any more would come as a surprise.
    ///
    /// - Returns: the answer where the daemon was quicker.
    private func withdraw(_ name: String) throws(Failure) -> Answer? {
        do throws(FileError) {
            let requests = try Directory.open(path)
            try requests.remove(name)
            try requests.sync()
        } catch {
            throw Failure(
                .noDaemon, "no daemon answered, and the request cannot be withdrawn: \(error). Is patchd running?")
        }
        return try given(name)
    }

    private func answer(to name: String, timeout: Double) throws(Failure) -> Answer? {
        let end = MonotonicClock.seconds + timeout
        let watch = try? DirectoryWatch([path + "/done"])
        while true {
            if let answer = try given(name) { return answer }
            let rest = end - MonotonicClock.seconds
            if rest <= 0 { return nil }
            if let watch { watch.wait(seconds: min(rest, 0.5)) } else { MonotonicClock.wait(seconds: min(rest, 0.1)) }
        }
    }

    private func given(_ name: String) throws(Failure) -> Answer? {
        guard let done = try? Directory.open(path + "/done"), let bytes = try? done.readFile(name) else { return nil }
        guard let answer = try? JSONText.read(Answer.self, bytes) else {
            throw Failure("the answer \"\(path)/done/\(name)\" is damaged; see the daemon's journal")
        }
        return answer
    }
}

/// `requests/done/<same name>`.
private struct Answer: Decodable {
    var ok: Bool
    var code: String?
    var message: String?
}
