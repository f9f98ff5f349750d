import Glibc
import PatchModel

/// Turns what Firebird says into what an admin can act on.
struct FirebirdErrors {
    let address: FirebirdAddress

    /// The codes that count (iberror.h).
    enum Code {
        static let lockConflict = 335_544_345
        static let deadlock = 335_544_336
        static let lockTimeout = 335_544_510
        static let updateConflict = 335_544_451
        static let objectInUse = 335_544_453
        /// Its number is the transaction that is in the way.
        static let concurrentTransaction = 335_544_878
        static let io = 335_544_344
        static let login = 335_544_472
        static let cancelled = 335_544_794
        static let lineAndColumn = 336_397_208
        static let unknownToken = 335_544_634
        static let noPrivilege: Set<Int> = [335_544_352, 335_545_094]
        /// To open or to find a file failed.
        static let opening: Set<Int> = [335_544_734, 335_544_739]
        static let tooManyVersions = 335_544_677
        static let openedOtherwise = 335_545_107
        static let network = 335_544_721
        /// A server or a connection that is not there, or not any more.
        static let gone: Set<Int> = [
            network, 335_544_722, 335_544_726, 335_544_727, 335_544_741, 335_544_648, 335_544_375, 335_544_528,
            335_544_856, 335_544_324, 335_544_421,
        ]
        /// A file that is none, of another version, or damaged.
        static let unusable: Set<Int> = [335_544_323, 335_544_335, 335_544_379, 335_544_405]
    }

    /// An error of patchd's own work.
    ///
    /// - Parameter blockers: is asked who is in the way, with the transaction that Firebird names.
    func error(
        _ failure: FirebirdFailure, _ doing: String, blockers: (Int?) -> [Blocker] = { _ in [] }
    ) -> SQLError {
        let (code, wayOut) = meaning(of: failure)
        let isOwn = code == .inUse && isOwn(failure)
        let number = failure.entries.first { $0.code == Code.concurrentTransaction }?.numbers.first
        return SQLError(
            code, doing, cause(failure, code), wayOut: wayOut,
            blockers: code == .inUse && !isOwn ? blockers(number) : [], isOwn: isOwn)
    }

    /// An error in a statement of a script.
    func error(
        _ failure: FirebirdFailure, in statement: SQLStatement, isOverdue: Bool, blockers: (Int?) -> [Blocker]
    ) -> SQLError {
        var error = error(failure, "run", blockers: blockers)
        // The script's name is added by who knows it.
        error.place = .init(file: "", statement: statement.number, line: statement.line, summary: statement.summary)
        let place = failure.entries.first { [Code.lineAndColumn, Code.unknownToken].contains($0.code) }
        if let line = place?.numbers.first, line > 1 { error.place?.line += line - 1 }
        if failure.has(Code.cancelled) {
            error.cause = isOverdue ? "the time that a script may take was over" : "it was interrupted"
            error.wayOut = isOverdue ? "correct the script, or raise scriptTimeout" : ""
        }
        return error
    }

    /// Who uses the object is told apart by what stands in front: a conflict of two transactions, or nothing.
    private func isOwn(_ failure: FirebirdFailure) -> Bool {
        failure.has(Code.objectInUse) && !failure.has(Code.lockConflict) && !failure.has(Code.lockTimeout)
            && !failure.has(Code.deadlock)
    }

    private func cause(_ failure: FirebirdFailure, _ code: FaultCode) -> String {
        guard code == .sql, let first = failure.entries.first else { return failure.message }
        return "\(failure.message) (SQLSTATE \(failure.sqlState), code \(first.code))"
    }

    private func meaning(of failure: FirebirdFailure) -> (FaultCode, wayOut: String) {
        let codes = Set(failure.entries.map(\.code))
        if !codes.isDisjoint(with: Code.gone) {
            return (.database, "see to it that the server of \(address.name) runs and takes connections, then resume")
        }
        if codes.contains(Code.login) {
            return (.database, "correct the user and the password in the folder's credentials")
        }
        if !codes.isDisjoint(with: Code.unusable) {
            return (.database, "correct \"database\", or restore \(address.name) from a backup")
        }
        if codes.contains(Code.openedOtherwise) { return (.inUse, "end what uses the database") }
        if codes.contains(Code.io) { return meaning(ofInput: failure) }
        let conflicts: Set = [
            Code.lockConflict, Code.deadlock, Code.lockTimeout, Code.updateConflict, Code.objectInUse,
        ]
        if !codes.isDisjoint(with: conflicts) {
            return isOwn(failure)
                ? (.inUse, "the script itself still uses it: put a line \"-- patchd:reconnect\" in front")
                : (.inUse, "end what uses the database")
        }
        if codes.contains(Code.tooManyVersions) {
            return (
                .sql,
                "the table was changed 255 times since its database was last restored: back up and restore the database "
                    + "with gbak, then resume"
            )
        }
        if !codes.isDisjoint(with: Code.noPrivilege) {
            return (.sql, "grant it to the user \(address.user ?? "of the session"), or name the database's owner")
        }
        return (.sql, "")
    }

    private func meaning(ofInput failure: FirebirdFailure) -> (FaultCode, wayOut: String) {
        let user = address.file == nil ? "the server's user" : "the folder's owner"
        let isFull = failure.message.contains("No space left on device") || failure.message.contains("quota exceeded")
        switch failure.number {
        // A server sends the kernel's words, and no number.
        case 0 where isFull, ENOSPC, EDQUOT:
            return (.space, "make room on the file system of \(address.name)")
        case EAGAIN: return (.inUse, "end what uses the database")
        case _ where failure.entries.contains { Code.opening.contains($0.code) }:
            return (
                .database,
                "create it, or correct \"database\" in the endpoint's configuration; \(user) has to be able to read and write it"
            )
        default: return (.io, "look for errors of the disk in the kernel's log of the server")
        }
    }
}
