import PatchFiles

/// Why a ledger cannot be used.
public enum LedgerError: Error, Sendable, CustomStringConvertible {
    /// A system call failed.
    case file(FileError)
    /// A record that was whole once does not have its checksum, or is out of order.
    case damaged(path: String, record: Int)
    /// It is larger than any job makes it, or a record is.
    case tooLarge(path: String, record: Int)
    /// A record has its checksum but is none that this version knows.
    case unknown(path: String, record: Int, String)

    /// For people, with the way out.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let path, let record):
            """
            ledger "\(path)" is damaged at record \(record), and not by a write that was cut: the disk or somebody \
            changed it. Nothing was done; compare the folder with the trace beside it before the job is resumed
            """
        case .tooLarge(let path, let record):
            """
            ledger "\(path)" is larger at record \(record) than a job makes it: it is damaged, or somebody changed it. \
            Nothing was done; compare the folder with the trace beside it before the job is resumed
            """
        case .unknown(let path, let record, let why):
            "ledger \"\(path)\" has a record \(record) that this version does not know (\(why)); use the newer patchd"
        }
    }
}
