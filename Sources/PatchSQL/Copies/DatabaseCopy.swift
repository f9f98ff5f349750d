import PatchFiles
public import PatchModel

/// What is to become of a database's copy on which an update is rehearsed.
public struct CopyOrder: Sendable {
    /// The database that is copied.
    public var live: DatabaseReference
    /// What the copy is called where it lies on the same server.
    public var name: String
    /// What the names of all copies for this folder begin with; those are nobody else's.
    public var prefix: String
    /// Where a copy that is a file lies, relative to the directory.
    public var place: String
    /// Bytes that may be copied.
    public var limit: UInt64
    /// An account whose rights end at the copies; nil: there is none.
    public var account: Credentials?

    /// An order from its parts.
    public init(
        live: DatabaseReference, name: String, prefix: String, place: String, limit: UInt64,
        account: Credentials? = nil
    ) {
        self.live = live
        self.name = name
        self.prefix = prefix
        self.place = place
        self.limit = limit
        self.account = account
    }
}

/// The copy of a database: what runs there touches nothing else.
public struct DatabaseCopy: Sendable {
    /// Where it is; a file is named as the order says.
    public var reference: DatabaseReference
    /// Who logs in there.
    public enum Login: Sendable {
        /// As to the live one.
        case same
        /// The order's account.
        case account
        /// Nobody: who may write the file may do everything.
        case none
    }

    /// Who logs in there.
    public var login: Login
    /// How long reading the database took: what the copy before an update takes, too.
    public var seconds: Double
}

/// Names of copies on servers: `patchd_rehearsal_payroll_SEED_0a1b2c3d4e_12`.
public enum CopyName {
    /// What all of them begin with.
    public static let common = "patchd_rehearsal_"
    /// PostgreSQL's limit; MariaDB's is 64.
    private static let limit = 63

    /// What the names of a folder's copies begin with.
    ///
    /// - Parameter identity: what tells the folder's database and this host from all others.
    public static func prefix(endpoint: String, folder: String, identity: [String]) -> String {
        let hash = SHA256.hash(of: Array(identity.joined(separator: "\0").utf8)).prefix(12)
        // The hash and the job's number always fit.
        let readable = "\(common)\(endpoint)_\(folder)".prefix(limit - 12 - 12)
        return "\(readable)_\(hash)_"
    }
}

/// What holds for a database that is a file, and for any other that does not say otherwise.
extension Session {
    /// Nothing.
    public func copyObstacle(_ order: CopyOrder) throws(SQLError) -> String? { nil }
    /// A copy that is a file lies in the directory that goes as a whole.
    public func removeCopies(_ order: CopyOrder) throws(SQLError) {}
    /// None.
    public static func outreach(of script: SQLScript) -> SQLStatement? { nil }
}

extension Session {
    /// Refuses what is larger than the order allows, before anything is written.
    func checkLimit(_ order: CopyOrder) throws(SQLError) {
        let size = try size()
        guard size > order.limit else { return }
        throw SQLError(
            .space, "copy the database",
            "it has \(size >> 20) MiB, and limits.rehearsal allows \(order.limit >> 20) MiB",
            wayOut: "raise limits.rehearsal in patchd.yaml")
    }

    /// The reference of a copy.
    func reference(_ text: String) throws(SQLError) -> DatabaseReference {
        do throws(DatabaseReference.Malformed) { return try DatabaseReference(text) } catch {
            throw SQLError(.database, "name the copy \"\(text)\"", "it \(error.message)")
        }
    }
}

extension SQLScript {
    /// The first statement that has one of these sequences of words, in capitals, anywhere in it: in a text or a comment
    /// too, because a text may be run.
    func firstStatement(saying phrases: [[String]]) -> SQLStatement? {
        let starts = Dictionary(grouping: phrases) { $0.first ?? "" }
        return statements.first { statement in
            let words = statement.text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map { $0.uppercased() }
            return words.indices.contains { index in
                (starts[words[index]] ?? []).contains { words[index...].starts(with: $0) }
            }
        }
    }
}
