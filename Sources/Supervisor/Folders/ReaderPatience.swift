public import PatchFiles
import PatchJSON
import PatchModel

/// How long a reader of what was dropped may take. One that hangs would keep all that its user drops afterwards.
public enum ReaderPatience {
    /// Seconds for what lies in an intake's directory.
    public static func seconds(for own: borrowing Directory) throws -> Double {
        let limits = try own.readFile("limits.json").map { try JSONText.read(Limits.self, $0) } ?? Limits()
        return limits.patience(archive: try own.file("content/archive.zip").status().size)
    }

    /// How a reader ended that took longer.
    public static func isOver(_ seconds: Double) -> String { "it had not ended after \(Int(seconds)) s" }
}
