import PatchModel

/// Who logs in, and with what password, where the engine's own files in the owner's home do not say it: lines `user=` and
/// `password=` (contract §12, folder key `credentials`).
public struct Credentials: Hashable, Sendable, CustomStringConvertible {
    /// Nil: as the URL says.
    public let user: String?
    /// Nil: none.
    public let password: String?

    /// Bytes that the file may have.
    static let sizeLimit = 64 << 10

    /// Reads the file.
    ///
    /// - Parameter name: the file's, for messages; no message has a line of it.
    /// - Throws: with the code `database`: a line that is neither.
    public init(_ bytes: [UInt8], name: String) throws(SQLError) {
        var (user, password): (String?, String?)
        func malformed(_ line: Int, _ cause: String) -> SQLError {
            SQLError(
                .database, "read the credentials", at: .init(file: name, line: line), cause,
                wayOut: "its lines are user=NAME and password=TEXT")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw malformed(index + 1, "it is not UTF-8")
            }
            // A password may end in blanks, not in the carriage return of another editor.
            let whole = text.hasSuffix("\r") ? String(text.dropLast()) : text
            if whole.isEmpty || whole.hasPrefix("#") { continue }
            let sides = whole.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[1].isEmpty else { throw malformed(index + 1, "it is no setting") }
            switch sides[0] {
            case "user": user = String(sides[1])
            case "password": password = String(sides[1])
            default: throw malformed(index + 1, "it is neither user= nor password=")
            }
        }
        self.user = user
        self.password = password
    }

    /// Without the password: nothing that prints a value may print it.
    public var description: String { "credentials of \(user ?? "the URL's user")" }
}
