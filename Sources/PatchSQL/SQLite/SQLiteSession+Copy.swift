import CSQLite
import PatchFiles
import PatchModel

extension SQLiteSession {
    func makeCopy(
        _ order: CopyOrder, in directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseCopy {
        try checkLimit(order)
        let doing = "copy the database \"\(path)\" for a rehearsal"
        let size = try size()
        let free = try DumpFile.onFiles(doing) { () throws(FileError) in try directory.availableSpace() }
        guard free >= size else {
            throw SQLError(
                .space, doing, "\(size >> 20) MB needed, \(free >> 20) MB free", wayOut: "make room there")
        }
        let (parent, name) = Directory.split(order.place)
        let home = try DumpFile.onFiles(doing) { () throws(FileError) in
            if let parent { return try directory.directory(parent) }
            return try directory.duplicate()
        }
        let begun = ContinuousClock.now
        let backup = try backUp(to: home, as: name, onUnchecked: { _ in }, onProgress: onProgress)
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        let copy = try DumpFile.onFiles(doing) { () throws(FileError) in
            try SQLiteDatabase.canonicalPath(of: home) + "/" + name
        }
        do throws(SQLiteFailure) {
            let own = try SQLiteConnection(copy, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, lockTimeout: 0)
            try own.run("PRAGMA journal_mode = \(backup.mode)")
        } catch {
            throw SQLiteErrors(path: copy).error(error, doing, blockers: blockers)
        }
        return DatabaseCopy(
            reference: try reference("sqlite:\(order.place)"), login: .same, seconds: seconds)
    }
}
