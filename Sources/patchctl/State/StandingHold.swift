import PatchJSON
import PatchModel

/// A file in `holds/` that keeps patchd away from something, or tries to.
struct StandingHold: Encodable {
    var target: String
    /// Whose file it is: that decides whether it counts.
    var owner: String
    var reason: String
    /// Nil: until it is taken away.
    @OrNull var until: Timestamp?
    /// It is over when this process is.
    @OrNull var pid: Int32?
    /// When it was written.
    var since: Timestamp
    /// Whether patchd respects it, as far as can be seen from here.
    var counts: Bool
}
