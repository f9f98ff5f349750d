import PatchJSON

/// `STATE/endpoints/<endpoint>/<folder>.json`: what a folder is now. Readable by everybody.
public struct FolderState: Hashable, Codable, Sendable {
    /// What an admin sees first.
    public enum Status: String, Codable, Sendable { case current, updating, failed, reverting, behind }

    /// The form of this file.
    public var schema = 1
    /// The endpoint's name.
    public var endpoint: String
    /// The folder's name.
    public internal(set) var folder: String
    /// Nil where no version is known.
    @OrNull public internal(set) var version: Version?
    /// Before the last job that updated it.
    @OrNull public internal(set) var previousVersion: Version?
    /// See ``Status``.
    public internal(set) var status: Status
    /// The last failure, until a later success.
    public internal(set) var message: String
    /// The update that was last applied; empty for none.
    public internal(set) var update: String
    /// The job that last changed it; 0 for none.
    public internal(set) var job: Int
    /// When it last changed.
    public internal(set) var updatedAt: Timestamp
    /// Relative to the state directory; empty for none.
    public internal(set) var trace: String
    /// The patches of ``update`` and whether they are applied.
    public internal(set) var patches: [String: Bool]
    /// Below an ancestor that a job has updated.
    public internal(set) var behind: Bool
    /// Ran ahead of its reference folder by itself.
    public internal(set) var diverged: Bool
    /// The highest version done on the endpoint and not unstable; nil for none.
    @OrNull public internal(set) var recommendedVersion: Version?
    /// Absolute.
    public internal(set) var path: String
    /// The directory's inode when it was last seen: by it a folder is recognized that was renamed or moved. Nil in states of
    /// earlier builds.
    public internal(set) var inode: UInt64?
    /// The user that the folder was first seen to belong to; a change is the fault `ownership`.
    public var owner: String

    /// The state of a folder that no job has touched yet.
    public init(
        endpoint: String, folder: String, version: Version?, path: String, owner: String, inode: UInt64? = nil,
        at: Timestamp
    ) {
        self.inode = inode
        self.endpoint = endpoint
        self.folder = folder
        self.version = version
        self.path = path
        self.owner = owner
        updatedAt = at
        status = .current
        message = ""
        update = ""
        job = 0
        trace = ""
        patches = [:]
        behind = false
        diverged = false
    }
}
