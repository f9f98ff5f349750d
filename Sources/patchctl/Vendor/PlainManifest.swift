import PatchJSON
import PatchModel

/// The manifest of an update with one patch, for every folder.
struct PlainManifest {
    /// Also the patch's, and the path of its content.
    let name: String
    let version: Version
    let dependency: Version

    /// - Throws: ``Failure`` with wrong usage.
    init(name: String, version: String, dependency: String) throws(Failure) {
        let isName =
            (1...64).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
            }
        guard isName, name != ".", name != ".." else {
            throw Failure(.usage, "\"\(name)\" is no name of an update; it consists of [A-Za-z0-9._-], at most 64")
        }
        let after = try Version(argument: version)
        let before = try Version(argument: dependency)
        guard after > before else {
            throw Failure(.usage, "the version \(version) is not above the dependency \(dependency)")
        }
        self.name = name
        self.version = after
        self.dependency = before
    }

    /// As `update.json` says it.
    var text: [UInt8] {
        Array(
            """
            {"name": "\(name)", "version": "\(version)", "dependency": "\(dependency)",
             "description": "\(name) \(version)",
             "patches": [
              {"name": "\(name)", "type": "$ROOT", "mandatory": true, "path": "\(name)"}]}

            """.utf8)
    }
}

extension Version {
    /// A version as it stands on a command line.
    ///
    /// - Throws: ``Failure`` with wrong usage.
    init(argument text: String) throws(Failure) {
        guard let version = Version(text) else {
            throw Failure(
                .usage, "\"\(text)\" is no version; it begins with a digit and consists of [0-9A-Za-z.+~:-], at most 64"
            )
        }
        self = version
    }
}
