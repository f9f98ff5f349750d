import ArgumentParser
import Glibc
import PatchFiles
import PatchJSON
import PatchModel

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begin an update: a directory with a manifest and a patch, ready for pack.")

    @Argument(help: "The directory; it is created, or is empty.", completion: .directory)
    var directory: String

    @Option(help: "The update's name. Default: the directory's.")
    var name: String?

    @Option(help: "What a folder has afterwards.")
    var version = "1.0.1"

    @Option(help: "The least version that a folder must have before.")
    var dependency = "1.0.0"

    @OptionGroup var directories: Directories

    func run() throws {
        let update = try PlainManifest(name: name ?? defaultName, version: version, dependency: dependency)
        do {
            try create(update)
        } catch let error as FileError {
            throw Failure("cannot begin an update in \"\(directory)\": \(error)")
        }
        Output.line(directory)
        Notes.line(
            "put files below \(directory)/\(update.name)/, scripts into its upgrades/; then: patchctl pack \(directory)"
        )
    }

    private var defaultName: String {
        Directory.split(directory.hasSuffix("/") ? String(directory.dropLast()) : directory).name
    }

    private func create(_ update: PlainManifest) throws {
        if mkdir(directory, 0o755) != 0, errno != EEXIST { throw FileError("create directory", directory) }
        let top = try Directory.open(directory)
        guard try top.count() == 0 else {
            throw Failure("\"\(directory)\" is not empty; name a new directory")
        }
        let patch = try top.ensureDirectory(update.name, mode: 0o755)
        for (name, text) in [("upgrades", Self.upgrade(update)), ("downgrades", Self.downgrade(update))] {
            let scripts = try patch.ensureDirectory(name, mode: 0o755)
            try scripts.replaceFile("\(update.version).sh", with: Array(text.utf8), mode: 0o644)
        }
        try top.replaceFile("README", with: Array(Self.readme(update).utf8), mode: 0o644)
        try top.replaceFile("update.json", with: Self.manifest(update), mode: 0o644)
    }

    /// JSON has no comments; keys that begin with `x-` are the vendor's own, and ignored.
    private static func manifest(_ update: PlainManifest) -> [UInt8] {
        Array(
            """
            {
              "x-help": "patchctl show JOB prints the description; docs/vendor.md has all keys. Keys that begin with x- are yours.",
              "name": "\(update.name)",
              "version": "\(update.version)",
              "dependency": "\(update.dependency)",
              "description": "\(update.name) \(update.version)",
              "patches": [
                {
                  "x-help": "type: $ROOT is for every folder, any other word for the folders whose modules list it.",
                  "name": "\(update.name)",
                  "type": "$ROOT",
                  "mandatory": true,
                  "path": "\(update.name)",
                  "description": "what this patch does"
                }
              ]
            }

            """.utf8)
    }

    /// A script that does nothing yet, and says what it could.
    private static func upgrade(_ update: PlainManifest) -> String {
        """
        #!/bin/sh
        # Runs in each folder, as its owner, where the folder comes from below \(update.version). Once done, it is never run
        # again; cut in the middle, it runs again from its start. In the environment: PATCHD_ENDPOINT, PATCHD_FOLDER,
        # PATCHD_FROM, PATCHD_TO, PATCHD_DATABASE_URL. Its last line on standard error is what an admin sees when it fails.
        # Instead of this, or beside it: \(update.version).sql, \(update.version).php. Remove both scripts where the update
        # needs none.
        set -eu

        """
    }

    private static func downgrade(_ update: PlainManifest) -> String {
        """
        #!/bin/sh
        # The way back: undoes what upgrades/\(update.version).sh did, for "patchctl rollback".
        set -eu

        """
    }

    private static func readme(_ update: PlainManifest) -> String {
        """
        \(update.name) \(update.version)

        This text accompanies the archive; "patchctl show JOB --notes" prints it. Say here what the update does.

        update.json                 what the update is called, and its patches
        \(update.name)/             every file below it is copied to the same path below each folder
        \(update.name)/upgrades/    scripts named by versions, such as \(update.version).sh or \(update.version).sql
        \(update.name)/downgrades/  the way back, named alike

        A patch in update.json may have more keys: "keep" (globs of files that are the admin's own once changed), "delete" (paths
        in the folder that go away), "target" ("supervisor": the root folder only), "default" (false: an optional patch that is
        off unless someone switches it on). Keys that begin with "x-" are yours. Check the whole with: patchctl lint ARCHIVE

        """
    }
}
