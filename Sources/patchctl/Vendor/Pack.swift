import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an update archive of a directory; exits 4 when that is no update.",
        discussion: """
            The same content gives the same bytes, so that a signature and the archive's sum stay what they are. The archive \
            is checked as by "lint" before it gets its name; one that has the name already is replaced.
            """)

    @Argument(help: "The directory, with update.json at its top.", completion: .directory)
    var directory: String

    @Option(name: [.short, .long], help: "The archive. Default: NAME-VERSION.zip, here.", completion: .file())
    var output: String?

    @OptionGroup var directories: Directories

    func validate() throws {
        if let output, ["", ".", ".."].contains(Directory.split(output).name) {
            throw ValidationError("-o names the archive to write, not a directory")
        }
    }

    func run() throws {
        let (parent, name) = output.map(Directory.split) ?? (nil, "")
        let place = parent.map { $0.isEmpty ? "/" : $0 } ?? "."
        let source = try opened(directory)
        let target = try opened(place)
        let (own, above) = (resolved(directory), resolved(place) + "/")
        guard !above.hasPrefix(own + "/") else {
            // It would be packed the next time.
            throw Failure(
                .usage, "the archive would lie in the directory of which it is made; name another place with -o")
        }
        let temporary = ".\(name.isEmpty ? "update" : name).\(getpid()).tmp"
        do {
            let update = try write(source, to: target, temporary)
            let name = name.isEmpty ? "\(update.manifest.name)-\(update.manifest.version).zip" : name
            try target.rename(temporary, to: target, name)
            try target.sync()
            Output.write(output ?? name)
        } catch {
            try? target.remove(temporary)
            if let error = error as? FileError { throw Failure("cannot write the archive: \(error)") }
            throw error
        }
    }

    /// Packs and checks; what would be refused gets no name.
    private func write(
        _ source: borrowing Directory, to target: borrowing Directory, _ temporary: String
    ) throws -> CheckedUpdate {
        let limits = (try? directories.configuration())?.daemon.limits ?? Limits()
        let file = try target.createFile(temporary, mode: 0o644)
        let worker = try Worker()
        if let refusal = try worker.pack(source, to: file, limits: limits) { throw refused(refusal) }
        let verdict = try worker.unpack(try target.file(temporary), limits: limits)
        if let refusal = verdict.refusal { throw refused(refusal) }
        guard let update = verdict.update else { throw Failure("cannot pack \(directory): the check said nothing") }
        for finding in update.findings {
            Notes.write(Printable.text("warning \(finding.code): \(finding.place): \(finding.message)"))
        }
        return update
    }

    private func refused(_ refusal: Refusal) -> Failure {
        Failure(.refused, Printable.text("\(directory) is no update: \(refusal.code.rawValue): \(refusal)"))
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
