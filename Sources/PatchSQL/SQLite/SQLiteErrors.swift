import CSQLite
import Glibc
import PatchModel

/// Turns what SQLite says into what an admin can act on.
struct SQLiteErrors {
    let path: String

    /// An error of patchd's own work.
    func error(
        _ failure: SQLiteFailure, _ doing: String, blockers: () -> [Blocker] = { [] }
    ) -> SQLError {
        let (code, wayOut) = meaning(of: failure)
        return SQLError(
            code, doing, failure.message, wayOut: wayOut, blockers: code == .inUse ? blockers() : [],
            isOwn: failure.primary == SQLITE_LOCKED)
    }

    /// An error in a statement of a script.
    ///
    /// - Parameter denial: what the script did that no script may.
    func error(
        _ failure: SQLiteFailure, in statement: SQLStatement, denial: String?,
        blockers: () -> [Blocker]
    ) -> SQLError {
        var error = error(failure, "run", blockers: blockers)
        // The script's name is added by who knows it.
        error.place = .init(file: "", statement: statement.number, line: statement.line, summary: statement.summary)
        if failure.offset > 0 {
            error.place?.line += SQLScript.line(of: failure.offset, in: statement.text.utf8) - 1
        }
        if let denial {
            error.cause = denial
            error.wayOut = "correct the script"
        }
        if failure.primary == SQLITE_INTERRUPT {
            error.cause = "the time that a script may take was over"
            error.wayOut = "correct the script, or raise scriptTimeout"
        }
        return error
    }

    private func meaning(of failure: SQLiteFailure) -> (FaultCode, wayOut: String) {
        switch failure.primary {
        case SQLITE_BUSY: (.inUse, "end what uses the database")
        case SQLITE_LOCKED: (.inUse, "the script itself still uses it: put a line \"-- patchd:reconnect\" in front")
        case SQLITE_FULL: (.space, "make room on the file system of \"\(path)\"")
        case SQLITE_IOERR where failure.number == ENOSPC || failure.number == EDQUOT:
            (.space, "make room on the file system of \"\(path)\", or raise the quota")
        case SQLITE_IOERR: (.io, "look for errors of the disk in the kernel's log, and at the owner's quota")
        case SQLITE_NOMEM: (.io, "")
        case SQLITE_READONLY, SQLITE_PERM:
            (.database, "make \"\(path)\" and its directory writable for the folder's owner")
        case SQLITE_CANTOPEN:
            (
                .database,
                "make \"\(path)\" and its directory readable and writable for the folder's owner; no link is followed"
            )
        case SQLITE_NOTADB: (.database, "\"\(path)\" is no SQLite file; correct \"database\", or restore the file")
        case SQLITE_CORRUPT: (.database, "\"\(path)\" is damaged; restore it from a backup")
        default: (.sql, "")
        }
    }
}
