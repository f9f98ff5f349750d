/// Why a job cannot continue, as in the contract's list of codes.
public enum FaultCode: String, Codable, CaseIterable, Sendable {
    case dependency, unstable, space, ownership, database, interpreter, unit, exists, missing, irreversible, script
    case sql, inUse, handler, hook, io, cancelled
}

/// A fault of a preflight or the failure of a folder. The message says what an admin can do about it.
public struct Fault: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The folder's name; empty when it concerns the whole endpoint.
    public var folder: String
    /// The contract's code.
    public var code: FaultCode
    /// What was being done, to what, the cause and the way out.
    public var message: String

    /// A fault of one folder, or of the endpoint when `folder` is empty.
    public init(folder: String = "", _ code: FaultCode, _ message: String) {
        self.folder = folder
        self.code = code
        self.message = message
    }

    /// `SEED: message`, for people.
    public var description: String { folder.isEmpty ? message : "\(folder): \(message)" }

    /// What a failure's message says once its folder has gone back: there is nothing left to resume, so the archive is dropped
    /// again. Only the way out at the message's end is looked at; what a script printed stays as it is.
    public static func messageAfterRevert(_ message: String) -> String {
        let again = "drop the archive again"
        let endings = [
            ("resume the job or drop a corrected archive", "drop a corrected archive"), ("resume the job", again),
            (", then resume", ", then \(again)"), (" and resume", " and \(again)"),
        ]
        for (ending, instead) in endings where message.hasSuffix(ending) {
            return message.dropLast(ending.count) + instead
        }
        return message
    }
}
