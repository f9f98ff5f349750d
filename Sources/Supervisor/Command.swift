import PatchModel

/// What a request asks for (contract §7).
enum Command: Equatable {
    case resume(job: Int, assumeDone: String?, skip: [String])
    case cancel(job: Int)
    case rollback(job: Int, discardsData: Bool)
    case rollbackFolder(endpoint: String, folder: String, to: Version?, discardsData: Bool)
    case baseline(endpoint: String, folder: String, Version)
    case catchup(endpoint: String, folder: String)
    case gc

    private static let optional = [
        "job", "assumeDone", "skip", "endpoint", "folder", "target", "to", "discardData", "version",
    ]

    /// Reads a request.
    ///
    /// - Throws: ``Refusal``; its code is none of a request's answer.
    init(_ bytes: [UInt8], file: String) throws(Refusal) {
        let reader = try JSONReader(strictJSON: bytes, file: file, refusedAs: .optionsInvalid)
        let members = try reader.object(required: ["command"], optional: Self.optional)
        let word = try members["command"]?.text() ?? ""
        let job = try members["job"]?.integer()
        func needed() throws(Refusal) -> Int {
            guard let job else { throw reader.refusal("\(word) needs \"job\"") }
            return job
        }
        switch word {
        case "resume":
            self = .resume(
                job: try needed(), assumeDone: try members["assumeDone"]?.text(),
                skip: try members["skip"]?.texts() ?? [])
        case "cancel": self = .cancel(job: try needed())
        case "rollback" where job != nil:
            self = .rollback(job: try needed(), discardsData: try members["discardData"]?.flag() ?? false)
        case "rollback", "catchup":
            let (endpoint, folder) = try Self.folder(reader, members, word)
            let to = try members["to"]?.text()
            guard to == nil || to.flatMap(Version.init) != nil else { throw reader.refusal("\"to\" is no version") }
            self =
                word == "catchup"
                ? .catchup(endpoint: endpoint, folder: folder)
                : .rollbackFolder(
                    endpoint: endpoint, folder: folder, to: to.flatMap(Version.init),
                    discardsData: try members["discardData"]?.flag() ?? false)
        case "baseline":
            let (endpoint, folder) = try Self.folder(reader, members, word)
            guard let version = try members["version"].flatMap({ (text) throws(Refusal) in Version(try text.text()) })
            else { throw reader.refusal("baseline needs \"version\", a version") }
            self = .baseline(endpoint: endpoint, folder: folder, version)
        case "gc": self = .gc
        default: throw reader.refusal("command \"\(word.prefix(40))\" is not supported")
        }
    }

    private static func folder(
        _ reader: JSONReader, _ members: [String: JSONReader], _ word: String
    ) throws(Refusal) -> (String, String) {
        if let endpoint = try members["endpoint"]?.text(), let folder = try members["folder"]?.text() {
            return (endpoint, folder)
        }
        let parts = try members["target"]?.text().split(separator: "/").map(String.init) ?? []
        guard parts.count == 2 else {
            throw reader.refusal("\(word) needs \"endpoint\" and \"folder\"\(word == "rollback" ? ", or \"job\"" : "")")
        }
        return (parts[0], parts[1])
    }
}
