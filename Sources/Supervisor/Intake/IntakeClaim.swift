import PatchModel

/// `intake/<k>/claim.json`: a drop that was taken. Written before the drop is removed, so that after a crash it is
/// taken neither twice nor never.
struct IntakeClaim: Codable, Hashable, Sendable {
    var schema = 1
    /// The directory's name below `intake/`.
    var id: String
    /// In `incoming/`.
    var file: String
    var device: UInt64
    var inode: UInt64
    var changed: Int64
    /// When its content was last written; nil in a claim of an older patchd.
    var modified: Int64?
    /// Who dropped it; nil in a claim of an older patchd.
    var owner: UInt32?
    var sha256: String
    var at: Timestamp
    /// Why its options cannot be read; nil where they can, or there are none.
    var badOptions: String?

    /// Whether it had to be signed when it was taken; nil in a claim of an older patchd, which could not ask for that.
    var isSignatureRequired: Bool?
    /// Why it counts as not signed, where it had to be and nothing is to be checked; nil else.
    var signatureRefusal: Refusal?

    /// For the jobs that it becomes.
    var drop: JobDrop {
        JobDrop(name: file, time: Timestamp(nanoseconds: modified ?? changed), owner: owner ?? 0)
    }

    var arrival: ArrivalOrder.Arrival { ArrivalOrder.Arrival(changed: changed, name: file, owner: owner ?? 0) }
}
