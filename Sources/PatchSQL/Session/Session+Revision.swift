import PatchJSON
public import PatchModel

/// The row of `patchd_revision` that applications look at while their folder is locked (contract §8).
public struct Revision: Hashable, Sendable {
    /// 9998: please go down. 9999: stay away.
    public var code: Int
    /// Why.
    public var phase: UpdateLock.Phase
    /// For people.
    public var message: String
    /// When applications must be gone; nil where no time is set.
    public var deadline: Timestamp?
    /// What listeners get: the lock as it stands in `update.lock`; empty for none.
    public var notice: String

    /// A row from its parts.
    public init(code: Int, phase: UpdateLock.Phase, message: String, deadline: Timestamp?, notice: String = "") {
        self.code = code
        self.phase = phase
        self.message = message
        self.deadline = deadline
        self.notice = notice
    }

    /// What says the same as `update.lock`.
    public init(_ lock: UpdateLock) {
        // A payload of PostgreSQL's has fewer than 8000 bytes.
        var short = lock
        short.message = String(lock.message.prefix(1000))
        let notice = (try? JSONText.line(short)).map { String(decoding: $0.dropLast(), as: UTF8.self) } ?? ""
        self.init(
            code: lock.code, phase: lock.phase, message: lock.message, deadline: lock.deadline, notice: notice)
    }
}

/// The row of `patchd_version`, which applications compare their own version with (contract §8).
public struct FolderVersions: Hashable, Sendable {
    /// The folder's.
    public var version: Version
    /// The highest one done on the endpoint and not unstable; nil where none is known.
    public var recommended: Version?

    /// A row from its parts.
    public init(version: Version, recommended: Version?) {
        self.version = version
        self.recommended = recommended
    }
}

extension Session {
    /// Shows a revision and the folder's versions, in place of what was shown before; nil when the folder is open again. What is shown already is
    /// not written again.
    ///
    /// - Throws: with the code `inUse` when an application is in the middle of writing; to show it is no reason to end
    ///   anybody.
    ///
    /// - Parameter versions: nil where the folder has no version; what is shown of it stays.
    public func show(_ revision: Revision?, _ versions: FolderVersions? = nil) throws(SQLError) {
        let isMissing = try columns(of: "patchd_revision").isEmpty
        // Before its first update patchd has nothing in a database, and leaves nothing there for being configured.
        if revision == nil, isMissing { return }
        let hasVersions = try !columns(of: "patchd_version").isEmpty
        if isMissing || !hasVersions { try prepareTables() }
        let row = revision.map { ["\($0.code)", $0.phase.rawValue, $0.message, $0.deadline?.description] }
        let shown = try query("SELECT code, phase, message, deadline FROM \(home)patchd_revision", [])
        let isShown = shown == (row.map { [$0] } ?? [])
        let wanted = versions.map { [$0.version.description, $0.recommended?.description] }
        let found = try query("SELECT version, recommended FROM \(home)patchd_version", [])
        let areShown = wanted.map { found == [$0] } ?? true
        if isShown, areShown { return }
        try transaction { () throws(SQLError) in
            if let wanted, !areShown { try replaceVersions(wanted) }
            if isShown { return }
            try query("DELETE FROM \(home)patchd_revision", [])
            if let row { try query("INSERT INTO \(home)patchd_revision VALUES (?, ?, ?, ?)", row) }
            try announce(revision)
        }
    }

    /// Within a transaction.
    func replaceVersions(_ row: [String?]) throws(SQLError) {
        try query("DELETE FROM \(home)patchd_version", [])
        try query("INSERT INTO \(home)patchd_version VALUES (?, ?)", row)
    }
}
