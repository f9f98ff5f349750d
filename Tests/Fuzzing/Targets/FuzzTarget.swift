/// A reader of what others wrote, with what must hold of it whatever the bytes are. Fed by libFuzzer (scripts/fuzz), and with
/// the kept cases by an ordinary test.
enum FuzzTarget: String, CaseIterable, Sendable {
    case archive, manifest, options, request, hold, configuration, signers, ledger, trace, state, lines, version, names,
        csv, sqlite, postgresql, mariadb, firebird

    /// Has the reader read them.
    ///
    /// - Throws: ``FuzzFailure`` where something does not hold. That bytes are refused is none.
    func run(_ bytes: [UInt8]) throws {
        switch self {
        case .archive: try ArchiveTarget.run(bytes)
        case .manifest: try ManifestTarget.run(bytes)
        case .options: try OptionsTarget.run(bytes)
        case .request: RequestTarget.run(bytes)
        case .hold: try HoldTarget.run(bytes)
        case .configuration: try ConfigurationTarget.run(bytes)
        case .signers: SignersTarget.run(bytes)
        case .ledger: try LedgerTarget.run(bytes)
        case .trace: try TraceTarget.run(bytes)
        case .state: try StateTarget.run(bytes)
        case .lines: try LinesTarget.run(bytes)
        case .version: try VersionTarget.run(bytes)
        case .names: try NamesTarget.run(bytes)
        case .csv: try RowsTarget.run(bytes)
        case .sqlite, .postgresql, .mariadb, .firebird: try ScriptTarget.run(bytes, dialect: rawValue)
        }
    }
}

/// What did not hold.
struct FuzzFailure: Error, CustomStringConvertible {
    let description: String
}

/// Fails where something does not hold.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws(FuzzFailure) {
    guard condition else { throw FuzzFailure(description: what()) }
}

extension [UInt8] {
    /// As text, what is no UTF-8 replaced.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// Pieces between line feeds.
    var lines: [[UInt8]] { split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) } }
}
