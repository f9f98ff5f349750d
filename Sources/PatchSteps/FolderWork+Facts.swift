import PatchFiles
import PatchLedger
import PatchModel

extension FolderWork {
    /// Looks for what a plan has to know of the folder, and records it. Nothing is changed.
    public mutating func find() throws(WorkerError) {
        let bytes = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try folder.readFile(DataRegistry.fileName)
        }
        let present = try present()
        let facts: FolderFacts
        do throws(DataRegistry.Damage) {
            facts = try FolderFacts(
                registryText: bytes.map { String(decoding: $0, as: UTF8.self) },
                registrySHA256: bytes.map { SHA256.hash(of: $0) }, present: present)
        } catch {
            throw .failed(
                step: nil, .io,
                """
                cannot use "\(folder.path)/\(DataRegistry.fileName)": \(error); it says which tables and forms the folder \
                has, so restore it from a backup, or mend it
                """)
        }
        try record(.found(facts))
    }

    private func present() throws(WorkerError) -> Set<ExactText> {
        let places = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try Places(folder, order: order)
        }
        var present: Set<ExactText> = []
        for path in order.ask ?? [] {
            let place: String
            do throws(Places.Obstacle) {
                place = try places.place(of: path).path
            } catch {
                switch error {
                // Whether it may be written through is for the survey to say.
                case .link: continue
                case .file(let error): throw .failed(step: nil, .io, "cannot look at \"\(path)\": \(error)")
                }
            }
            let found = try working("look at \"\(path)\"") { () throws(FileError) in try kind(of: place) }
            if found == .file { present.insert(ExactText(path)) }
        }
        return present
    }
}
