import PatchModel

/// A row that stays locked for as long as this lives: the server takes the lock back with the attachment, whatever
/// becomes of this process. It is an attachment of its own, because the other one commits.
final class FirebirdGuard {
    private let connection: FirebirdConnection
    private let transaction: FirebirdTransaction

    /// What the server knows the attachment by.
    var id: Int { connection.id }

    private static let table = "patchd_guard"

    /// Makes the row where it is missing.
    static func prepare(_ session: FirebirdSession) throws(SQLError) {
        if try session.columns(of: table).isEmpty {
            do throws(SQLError) {
                try session.query("CREATE TABLE \(table) (id integer NOT NULL PRIMARY KEY)", [])
            } catch {
                // Another may have made it in between.
                guard try !session.columns(of: table).isEmpty else { throw error }
            }
        }
        guard try session.query("SELECT id FROM \(table) WHERE id = 0", []).isEmpty else { return }
        do throws(SQLError) {
            try session.query("INSERT INTO \(table) VALUES (0)", [])
        } catch {
            guard try !session.query("SELECT id FROM \(table) WHERE id = 0", []).isEmpty else { throw error }
        }
    }

    /// Locks it.
    ///
    /// - Throws: with the code `inUse` where another has it, who is named.
    init(
        _ address: FirebirdAddress, _ library: FirebirdLibrary, blockers: (Int?) -> [Blocker]
    ) throws(SQLError) {
        connection = try FirebirdSession.connect(address, library)
        do throws(FirebirdFailure) {
            transaction = try FirebirdTransaction(connection, .look, wait: 0)
            _ = try FirebirdStatements().rows(
                "SELECT id FROM \(Self.table) WHERE id = 0 WITH LOCK", on: connection, in: transaction)
        } catch {
            throw FirebirdErrors(address: address).error(
                error, "keep other updates out of the database \"\(address.name)\"", blockers: blockers)
        }
    }
}
