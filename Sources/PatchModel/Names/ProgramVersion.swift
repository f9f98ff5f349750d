/// The version of patchd's own programs, which are built and installed together.
public enum ProgramVersion {
    /// What `--version` prints.
    public static let text = "0.9.0"
}
