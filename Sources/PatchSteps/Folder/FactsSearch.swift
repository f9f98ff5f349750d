import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Looks for what a plan has to know of a folder. Changes nothing.
struct FactsSearch {
    let context: FolderContext

    func run() throws(WorkerError) {
        let bytes = try working("look at folder \(context.order.plan.folder)") { () throws(FileError) in
            try context.folder.readFile(DataRegistry.fileName)
        }
        let present = try present()
        let (migrations, unasked) = try FolderDatabase(context).migrations()
        let facts: FolderFacts
        do throws(DataRegistry.Damage) {
            facts = try FolderFacts(
                registryText: bytes.map { String(decoding: $0, as: UTF8.self) },
                registrySHA256: bytes.map { SHA256.hash(of: $0) }, present: present, migrations: migrations,
                unasked: unasked)
        } catch {
            throw .failed(
                step: nil, .io,
                """
                cannot use "\(context.folder.path)/\(DataRegistry.fileName)": \(error); it says which tables and forms the folder \
                has, so restore it from a backup, or fix it
                """)
        }
        try context.record(.found(facts))
    }

    /// What an application would open: a link to a program is that program. Whether it may be written there is for the
    /// survey to say.
    private func present() throws(WorkerError) -> Set<ExactText> {
        var present: Set<ExactText> = []
        for path in context.order.ask ?? [] {
            var status = stat()
            if fstatat(context.folder.descriptor, path, &status, 0) == 0 {
                if status.st_mode & S_IFMT == S_IFREG { present.insert(ExactText(path)) }
            } else if ![ENOENT, ENOTDIR, ELOOP].contains(errno) {
                throw WorkerError(
                    FileError("look at", "\(context.folder.path)/\(path)"), "look at \"\(path)\"", step: nil)
            }
        }
        return present
    }
}
