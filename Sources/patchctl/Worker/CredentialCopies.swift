import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// What a worker finds in `CREDENTIALS_DIRECTORY`: copies that only its user reads, for as long as the value lives.
struct CredentialCopies: ~Copyable {
    private typealias Credentials = [(name: String, bytes: [UInt8])]

    private let scratch: Scratch
    /// Why `rehearseCredentials` cannot be used, without which all but a rehearsal goes on; nil for nothing.
    let rehearsalFault: Fault?

    /// The ones that a folder's configuration names; none is no error.
    init(of folder: Folder, owner: Owner) throws {
        func read(_ key: String, _ path: String?, as name: String) throws(Fault) -> Credentials {
            guard let path else { return [] }
            return [(name, try CredentialFile.read(path, of: folder.name, key, owner: owner.name, owner.uid))]
        }
        var credentials = try read("credentials", folder.credentials, as: "database")
        var fault: Fault?
        do throws(Fault) {
            credentials += try read("rehearseCredentials", folder.rehearseCredentials, as: "rehearsal")
        } catch {
            fault = error
        }
        let scratch = try Scratch()
        try CredentialFile.write(credentials, to: scratch.directory, for: Identity.of(owner))
        self.scratch = scratch
        rehearsalFault = fault
    }

    /// For the worker.
    var environment: [String] { ["CREDENTIALS_DIRECTORY=\(scratch.path)"] }
}
