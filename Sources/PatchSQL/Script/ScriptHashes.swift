import PatchFiles

/// The hashes of a script's first statements, as ``SQLScript/hash(first:)`` has them. Asked for one after the other, each costs
/// what its statement adds, and not what all before it did.
final class ScriptHashes {
    private let statements: [SQLStatement]
    private var sum = SHA256()
    private var count = 0

    init(_ script: SQLScript) { statements = script.statements }

    func hash(first wanted: Int) -> String {
        if wanted < count {
            sum = SHA256()
            count = 0
        }
        while count < wanted {
            Array(statements[count].hash.utf8).withUnsafeBytes { sum.update($0) }
            count += 1
        }
        return sum.soFar
    }
}
