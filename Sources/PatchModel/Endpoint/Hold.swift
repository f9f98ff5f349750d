/// A file in the spool's `holds/` that keeps patchd away from an endpoint, a folder, or everything (contract §3).
public struct Hold: Hashable, Sendable {
    /// What it keeps patchd away from.
    public enum Target: Hashable, Sendable, CustomStringConvertible {
        case all
        case endpoint(String)
        case folder(endpoint: String, folder: String)

        /// As `patchctl hold` takes it.
        public var description: String {
            switch self {
            case .all: "ALL"
            case .endpoint(let name): name
            case .folder(let endpoint, let folder): "\(endpoint)/\(folder)"
            }
        }

        /// The name of its file: `ALL.lock`, `ENDPOINT.lock`, `ENDPOINT.FOLDER.lock`.
        public var fileName: String {
            switch self {
            case .all: "ALL.lock"
            case .endpoint(let name): "\(name).lock"
            case .folder(let endpoint, let folder): "\(endpoint).\(folder).lock"
            }
        }

        /// Reads a file's name; nil for one that is not a hold's.
        public init?(fileName: String) {
            let parts = fileName.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.last == "lock", parts.count <= 3, parts.dropLast().allSatisfy(Self.isName) else { return nil }
            switch parts.count {
            case 2: self = parts[0] == "ALL" ? .all : .endpoint(parts[0])
            case 3: self = .folder(endpoint: parts[0], folder: parts[1])
            default: return nil
            }
        }

        /// Names of endpoints and folders: `[A-Za-z0-9_-]{1,32}`.
        public static func isName(_ text: String) -> Bool {
            (1...32).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }

    /// What it keeps patchd away from.
    public var target: Target
    /// The reason for people: one line without control characters; may be empty.
    public var reason: String
    /// The hold ends with this process.
    public var pid: Int32?
    /// The hold ends at this time.
    public var until: Timestamp?

    /// Characters of a reason that are shown.
    private static let limit = 200

    /// A hold from the text of its file. A line `pid: N` or `until: RFC3339` that cannot be read is part of the reason:
    /// the hold then stays until it is removed.
    public init(_ target: Target, text: String) {
        self.target = target
        var words: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            let key = parts.first.map { $0.trimmed } ?? ""
            let value = parts.count > 1 ? parts[1].trimmed : ""
            if key == "pid", let number = Int32(value), number > 0 {
                pid = number
            } else if key == "until", let time = Timestamp(value) {
                until = time
            } else {
                words.append(line.trimmed)
            }
        }
        let line = words.filter { !$0.isEmpty }.joined(separator: " ")
        reason = String(
            String.UnicodeScalarView(line.unicodeScalars.filter { !$0.properties.isControlOrFormat }).prefix(Self.limit)
        )
    }

    /// The text of its file.
    public var text: String {
        let lines = [reason, until.map { "until: \($0)" } ?? "", pid.map { "pid: \($0)" } ?? ""]
        return lines.filter { !$0.isEmpty }.map { $0 + "\n" }.joined()
    }

    /// Whether it concerns some folders of an endpoint.
    public func concerns(_ endpoint: String, _ folders: Set<String>) -> Bool {
        switch target {
        case .all: true
        case .endpoint(let name): name == endpoint
        case .folder(let name, let folder): name == endpoint && folders.contains(folder)
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}

extension Unicode.Scalar.Properties {
    /// Whether it moves a terminal's cursor or hides text.
    fileprivate var isControlOrFormat: Bool {
        [.control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate].contains(generalCategory)
    }
}
