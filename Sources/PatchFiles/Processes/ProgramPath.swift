import Glibc

/// Finds programs as a shell does.
public enum ProgramPath {
    /// The absolute path of a program in one of the directories of `PATH`; nil where none has it.
    public static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }.first {
            access($0, X_OK) == 0
        }
    }
}
