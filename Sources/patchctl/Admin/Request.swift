import ArgumentParser
import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// Asks the daemon through `requests/` and waits for its answer.
struct Request {
    let directories: Directories

    /// `requests/done/<same name>`.
    private struct Answer: Decodable {
        var ok: Bool
        var code: String?
        var message: String?
    }

    /// - Throws: ``Failure`` with the contract's code when the daemon refuses or does not answer.
    func send(_ command: JSONValue, called word: String, timeout: Double) throws {
        let path = directories.spoolDir + "/requests"
        let name = "\(word)-\(getpid())-\(UInt32.random(in: .min ... .max)).json"
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
                ? "; members of group patchd may ask: \"adduser USER patchd\"" : "; name the spool with --spool-dir"
            throw Failure("cannot ask the daemon: \(error)\(hint)")
        }
        guard let answer = try answer(to: name, in: path, timeout: timeout) else {
            // An answer to a request that nobody waits for any more would come as a surprise.
            if let requests = try? Directory.open(path) { try? requests.remove(name) }
            throw Failure(
                .noDaemon, "no daemon answered within \(Int(timeout)) s; the request is withdrawn. Is patchd running?")
        }
        let message = answer.message ?? ""
        guard answer.ok else {
            let code = answer.code ?? ""
            if code == "upToDate" { throw Failure(.nothingToDo, message) }
            let refusals = [
                "requestInvalid", "unknownJob", "wrongState", "notPermitted", "archiveDiffers", "optionsInvalid",
            ]
            throw Failure(refusals.contains(code) ? .refused : .failed, message.isEmpty ? code : "\(code): \(message)")
        }
        Output.write(message.isEmpty ? "ok" : message)
    }

    private func answer(to name: String, in path: String, timeout: Double) throws -> Answer? {
        let end = Follower.clock() + timeout
        let watch = try? DirectoryWatch([path + "/done"])
        while true {
            if let done = try? Directory.open(path + "/done"), let bytes = try? done.readFile(name) {
                guard let answer = try? JSONText.read(Answer.self, bytes) else {
                    throw Failure("the answer \"\(path)/done/\(name)\" is damaged; see the daemon's journal")
                }
                return answer
            }
            let rest = end - Follower.clock()
            if rest <= 0 { return nil }
            if let watch { watch.wait(seconds: min(rest, 0.5)) } else { usleep(100_000) }
        }
    }
}
