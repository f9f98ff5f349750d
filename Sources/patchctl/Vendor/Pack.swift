import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an update archive of a directory or archive; exits 4 when that is no update.",
        discussion: """
            The same content gives the same bytes, so that a signature and the archive's sum stay what they are. The archive \
            is checked as by "lint" before it gets its name; one that has the name already is replaced.

            With --name, --version and --dependency, DIR is a plain tree of files, without a manifest: the archive brings all of \
            them to every folder.

            With --from, the archive is what brings folders from OLD to DIR: what OLD has and DIR has no more is deleted, and \
            what both have alike is left out where every folder must have it by then (plain trees; else mandatory patches \
            that copy, with a dependency not below OLD's version). Tables and forms that the registries of plain trees list \
            come by commands.
            """)

    @Argument(help: "The directory, with update.json at its top; or an archive.", completion: .file())
    var directory: String

    @Option(name: [.short, .long], help: "The archive. Default: NAME-VERSION.zip, here.", completion: .file())
    var output: String?

    @Option(help: "The update before: its directory or archive; with --name a plain tree.", completion: .file())
    var from: String?

    @Option(help: "Sign the archive with this key, as \"sign\" does; a signature that is there is replaced with it.")
    var sign: String?

    @Option(help: "DIR is a plain tree: the update's name.")
    var name: String?

    @Option(help: "With --name: what a folder has afterwards.")
    var version: String?

    @Option(help: "With --name: the least version that a folder must have before.")
    var dependency: String?

    @OptionGroup var directories: Directories

    func validate() throws {
        if let output, ["", ".", ".."].contains(Directory.split(output).name) {
            throw ValidationError("-o names the archive to write, not a directory")
        }
        let given = [name, version, dependency].compactMap { $0 }.count
        guard given == 0 || given == 3 else {
            throw ValidationError("a plain tree needs all of --name, --version and --dependency")
        }
    }

    func run() throws {
        let plain = try plainManifest()
        let (parent, name) = output.map(Directory.split) ?? (nil, "")
        let place = parent.map { $0.isEmpty ? "/" : $0 } ?? "."
        let target = try opened(place)
        let (own, above) = (resolved(directory), resolved(place) + "/")
        guard !above.hasPrefix(own + "/") else {
            // It would be packed the next time.
            throw Failure(
                .usage, "the archive would lie in the directory of which it is made; name another place with -o")
        }
        let temporary = ".\(name.isEmpty ? "update" : name).\(getpid()).tmp"
        do {
            let file = try target.createFile(temporary, mode: 0o644)
            let update = try make(plain, file)
            for finding in update.findings {
                Notes.line("warning \(finding.code): \(finding.place): \(finding.message)")
            }
            let name = name.isEmpty ? "\(update.manifest.name)-\(update.manifest.version).zip" : name
            if let sign {
                let signature = try Signer(key: sign).signature(of: "\(place)/\(temporary)")
                try target.replaceFile(name + SignatureFile.suffix, with: signature, mode: 0o644)
            }
            let isReplaced = try target.status(name) != nil
            try target.rename(temporary, to: target, name)
            try target.sync()
            Output.line(output ?? name)
            if isReplaced { Notes.line("it takes the place of the one that was there") }
        } catch {
            try? target.remove(temporary)
            if let error = error as? FileError { throw Failure("cannot write the archive: \(error)") }
            throw error
        }
    }

    private func plainManifest() throws(Failure) -> PlainManifest? {
        guard let name, let version, let dependency else { return nil }
        return try PlainManifest(name: name, version: version, dependency: dependency)
    }

    /// Packs and checks; what would be refused gets no name.
    private func make(_ plain: PlainManifest?, _ file: borrowing File) throws -> CheckedUpdate {
        let packer = Packer(worker: try Worker(), limits: directories.limits, plain: plain)
        let source = try packer.source(directory)
        let update = try packer.pack(source, directory, to: file)
        guard let from else { return update }
        let change = try packer.change(from: from, to: update, of: source, directory)
        try file.truncate(to: 0)
        guard lseek(file.descriptor, 0, SEEK_SET) == 0 else { throw FileError("write", file.path) }
        return try packer.pack(source, directory, to: file, change)
    }

    private func opened(_ path: String) throws(Failure) -> Directory {
        do throws(FileError) {
            return try Directory.open(path)
        } catch {
            throw Failure("\(error)")
        }
    }

    private func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
