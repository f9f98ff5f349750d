import PatchModel

/// What is packed otherwise than the directory has it.
struct PackChange {
    /// Nil: the directory's own manifest.
    var manifest: [UInt8]?
    /// Paths in the directory.
    var leavingOut: Set<ExactText> = []
    /// More files at the top of the content, by name.
    var adding: [String: [UInt8]] = [:]
}
