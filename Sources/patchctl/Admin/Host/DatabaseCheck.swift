import Glibc
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// Tries the folders' databases as an update's preflight would: each by a worker that runs as the folder's owner.
struct DatabaseCheck {
    /// Seconds for one database: a connection is given up after ten, and a server that starts is waited for.
    private static let limit = 60.0

    /// `ENDPOINT/FOLDER: message`, of what would keep an update from using a database.
    private(set) var problems: [String] = []
    /// The same of what would not.
    private(set) var warnings: [String] = []

    /// Databases that are files of the folder's own are no concern: no connection shows more than the file.
    mutating func check(_ endpoints: [Endpoint], rehearsal limit: UInt64) throws {
        for endpoint in endpoints {
            for folder in endpoint.activeFolders {
                guard let database = endpoint.databaseOrder(of: folder.name), database.isKnown, database.url.file == nil
                else { continue }
                let name = "\(endpoint.name)/\(folder.name)"
                do throws(Fault) {
                    guard let survey = try look(at: folder, of: endpoint, database, limit) else {
                        warnings.append("\(name): the database is not tried: only root and the folder's owner can")
                        continue
                    }
                    problems += survey.faults.map { "\(name): \($0.message)" }
                    warnings += survey.warnings.map { "\(name): \($0)" }
                } catch {
                    problems.append("\(name): \(error.message)")
                }
            }
        }
    }

    /// - Returns: nil where this process may not become the folder's owner.
    private func look(
        at folder: Folder, of endpoint: Endpoint, _ database: DatabaseOrder, _ rehearsal: UInt64
    ) throws(Fault) -> (faults: [Fault], warnings: [String])? {
        let owner = try OwnerRule.check(folder: folder, recorded: nil)
        guard geteuid() == 0 || geteuid() == owner.uid else { return nil }
        let version = folder.version ?? Version("0")
        guard let version else { return ([], []) }
        let plan = FolderPlan(
            folder: folder.name, parent: nil, path: folder.path, state: .upToDate, from: version, to: version)
        var order = WorkOrder(
            job: 0, endpoint: endpoint.name, update: "", scriptTimeout: 0, plan: plan, database: database)
        if endpoint.rehearse != .off {
            order.rehearsal = RehearsalOrder(limit: rehearsal, hasCredentials: folder.rehearseCredentials != nil)
        }
        do {
            let copies = try CredentialCopies(of: folder, owner: owner)
            if let fault = copies.rehearsalFault { throw fault }
            let summary = try Worker().look(
                "examine", order, as: Identity.of(owner), environment: copies.environment, seconds: Self.limit)
            if case .failed(_, let code, let message) = summary.outcome {
                throw Fault(folder: folder.name, code, message)
            }
            return summary.survey ?? ([], [])
        } catch let fault as Fault {
            throw fault
        } catch {
            let cause = (error as? Failure)?.message ?? "\(error)"
            throw Fault(
                folder: folder.name, .database,
                "the database \(database.url) could not be tried within \(Int(Self.limit)) s: \(cause)")
        }
    }
}
