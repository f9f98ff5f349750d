import Glibc
import PatchFiles
import PatchModel

/// A file that this process opens itself, wherever the database is: no server knows of it.
extension FirebirdSession {
    func makeCopy(
        _ order: CopyOrder, in directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseCopy {
        try checkLimit(order)
        let doing = "make a copy of the database \"\(address.name)\""
        let begun = ContinuousClock.now
        let dump = try backUp(to: directory, as: "dump", onUnchecked: { _ in }, onProgress: onProgress)
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        let path = try opening(directory.path, doing) { () throws(FileError) in
            try SQLiteDatabase.canonicalPath(of: directory) + "/" + order.place
        }
        FirebirdLocks.prepare()
        let own = FirebirdAddress(file: path, DatabaseLogin(name: ""))
        let place = try opening(directory.path, doing) { () throws(FileError) in try directory.duplicate() }
        let nothing = try nothing(doing)
        let file = try DumpFile.open(dump, in: directory, doing)
        do throws(SQLError) {
            try gbak(
                ["-c", "-v", "stdin", path], doing, in: place, input: file.descriptor, output: nothing.descriptor,
                as: own, onProgress)
        } catch {
            var error = error
            // The copy is not on the server, because scripts in it would run with the server's rights.
            if address.file == nil { error.wayOut = "see that firebird3.0-server-core is installed on this host" }
            throw error
        }
        try opening(directory.path, doing) { () throws(FileError) in try directory.remove(dump.name) }
        return DatabaseCopy(reference: try reference("firebird:\(path)"), login: .none, seconds: seconds)
    }

    /// What goes to files and other databases.
    static func outreach(of script: SQLScript) -> SQLStatement? {
        script.firstStatement(saying: [
            ["ON", "EXTERNAL"], ["EXTERNAL", "FILE"], ["TABLE", "EXTERNAL"], ["CREATE", "SHADOW"], ["CREATE", "USER"],
            ["ALTER", "USER"], ["DROP", "USER"], ["CREATE", "DATABASE"], ["ADD", "FILE"],
        ])
    }
}
