import Glibc
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore

/// A folder as its applications name it. Its path comes from the state, so that no configuration has to be readable.
struct ApplicationFolder {
    let endpoint: String
    let folder: String
    /// Absolute.
    let path: String
    let state: FolderState

    var name: String { "\(endpoint)/\(folder)" }

    /// - Throws: ``Failure``: wrong usage, or a folder that patchd does not know.
    init(_ target: String, in directories: Directories) throws {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(PatchModel.Hold.Target.isName) else {
            throw Failure(.usage, "\"\(target)\" is no folder; name one as ENDPOINT/FOLDER")
        }
        guard try directories.hasState else {
            throw Failure(
                "nothing is known of \(target): patchd has not run yet with the state directory \"\(directories.stateDir)\""
            )
        }
        guard let state = try directories.reading({ try directories.state.folder(parts[1], of: parts[0]) }) else {
            _ = try Target(target).folders(directories)
            throw Failure("there is no folder \"\(target)\"")
        }
        (endpoint, folder, path, self.state) = (parts[0], parts[1], state.path, state)
    }

    init(_ state: FolderState) {
        (endpoint, folder, path, self.state) = (state.endpoint, state.folder, state.path, state)
    }

    /// Its lock now; nil when it is unlocked.
    func lock() throws -> LockNotice? {
        try looking { () throws(FileError) in LockNotice.found(in: try Directory.openWithoutLinks(path)) }
    }

    /// Says what is the matter when a folder cannot be opened.
    func looking<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(Failure) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            let hint =
                switch error.number {
                case ENOENT: "; the folder is gone, or its disk is not mounted"
                case EACCES, EPERM: "; to look for \(UpdateLock.fileName) this user has to be able to read the folder"
                case ELOOP, ENOTDIR: "; no component of a folder's path may be a link"
                default: ""
                }
            throw Failure("cannot look whether \(name) is locked: \(error)\(hint)")
        }
    }
}

/// `update.lock` as an application reads it: it is there or not, and all else is for people. So a key that is missing or
/// new harms nobody.
struct LockNotice: Decodable, Equatable {
    /// Nil where the file cannot be read; such a folder is locked too.
    var code: Int?
    var phase: String?
    var update: String?
    var to: String?
    var job: Int?
    var since: Timestamp?
    var deadline: Timestamp?
    var message: String?
    /// Why it could not be read.
    var problem: String?

    private enum Key: String, CodingKey { case code, phase, update, to, job, since, deadline, message }

    init(problem: String) { self.problem = problem }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        code = try? container.decode(Int.self, forKey: .code)
        phase = try? container.decode(String.self, forKey: .phase)
        update = try? container.decode(String.self, forKey: .update)
        to = try? container.decode(String.self, forKey: .to)
        job = try? container.decode(Int.self, forKey: .job)
        since = try? container.decode(Timestamp.self, forKey: .since)
        deadline = try? container.decode(Timestamp.self, forKey: .deadline)
        message = try? container.decode(String.self, forKey: .message)
    }

    /// The lock in a folder; nil when there is none. What is there and cannot be read is a lock.
    static func found(in folder: borrowing Directory) -> LockNotice? {
        do throws(FileError) {
            guard let bytes = try folder.readFile(UpdateLock.fileName, limit: 1 << 20) else { return nil }
            do {
                return try JSONText.read(LockNotice.self, bytes)
            } catch {
                return LockNotice(problem: "\(UpdateLock.fileName) is no JSON object")
            }
        } catch {
            return LockNotice(problem: error.description)
        }
    }

    /// Whether applications that are inside may still stay for a while.
    var isAnnouncement: Bool { code == 9998 }

    /// `is locked: 9999 updating, job 12 (X3V8_P2 8.0.2), since …, deadline …: message`.
    var description: String {
        if let problem { return "is locked, but the lock cannot be read: \(problem)" }
        var parts = [[code.map { "\($0)" }, phase].compactMap { $0 }.joined(separator: " ")]
        let what = [update, to].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
        if let job, job > 0 { parts.append("job \(job)" + (what.isEmpty ? "" : " (\(what))")) }
        if let since { parts.append("since \(LocalTime.text(since))") }
        if let deadline { parts.append("deadline \(LocalTime.text(deadline))") }
        let text = parts.filter { !$0.isEmpty }.joined(separator: ", ")
        let note = message.map { $0.isEmpty ? "" : ": \(Printable.cell($0))" } ?? ""
        return "is locked" + (text.isEmpty ? "" : ": \(Printable.cell(text))") + note
    }
}
