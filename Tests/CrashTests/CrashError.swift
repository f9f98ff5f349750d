/// What kept a cut from being made or looked at.
struct CrashError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
