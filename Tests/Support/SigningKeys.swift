import Foundation

/// Keys of `ssh-keygen` in a directory of their own, and what they sign.
public struct SigningKeys {
    /// Where they are; removed by whose directory it is.
    public let place: String

    /// A place for keys below a directory.
    public init(in directory: String) throws {
        place = "\(directory)/keys"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    }

    /// The path of a key that was made.
    public func path(_ name: String) -> String { "\(place)/\(name)" }

    /// Makes a pair of keys.
    public func make(_ name: String, type: String = "ed25519") throws {
        try Command.tool("/usr/bin/ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path(name))
    }

    /// Has one key certify another for a name.
    public func certify(_ name: String, by authority: String, as principal: String) throws {
        try Command.tool(
            "/usr/bin/ssh-keygen", "-q", "-s", path(authority), "-I", "test", "-n", principal, "-V", "+1d",
            path("\(name).pub"))
    }

    /// The public half, as a line has it.
    public func line(_ name: String) throws -> String {
        try String(contentsOfFile: path("\(name).pub"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Signs a file: `FILE.sig` is beside it afterwards.
    public func sign(_ file: String, by name: String, namespace: String = "patchd") throws {
        try? FileManager.default.removeItem(atPath: file + ".sig")
        try Command.tool("/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", path(name), file)
    }
}
