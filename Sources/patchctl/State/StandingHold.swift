import PatchModel

/// A file in `holds/` that keeps patchd away from something, or tries to.
struct StandingHold: Encodable {
    var target: String
    /// Whose file it is: that decides whether it counts.
    var owner: String
    var reason: String
    /// Nil: until it is taken away.
    var until: Timestamp?
    /// It is over when this process is.
    var pid: Int32?
    /// When it was written.
    var since: Timestamp
    /// Whether patchd respects it, as far as can be seen from here.
    var counts: Bool

    private enum Key: String, CodingKey { case target, owner, reason, until, pid, since, counts }

    /// All keys, null where there is nothing to say.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(target, forKey: .target)
        try container.encode(owner, forKey: .owner)
        try container.encode(reason, forKey: .reason)
        try container.encode(until, forKey: .until)
        try container.encode(pid, forKey: .pid)
        try container.encode(since, forKey: .since)
        try container.encode(counts, forKey: .counts)
    }
}
