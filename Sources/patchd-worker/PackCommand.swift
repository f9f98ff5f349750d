import ArgumentParser
import Glibc
import PatchArchive
import PatchFiles
import PatchJSON
import PatchModel

/// Packs the directory on standard input into the empty file on standard output. Standard error gets a verdict where that
/// cannot be done, and nothing else.
struct PackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pack")

    @Option(help: "What the archive may ask for, as JSON.")
    var limits: String?

    @Option(help: "A manifest to pack instead of the directory's own.")
    var manifest: String?

    @Option(help: "The path in the archive below which the directory's content goes.")
    var below: String?

    @Option(help: "A file with the paths that are not packed, one a line.")
    var leavingOut: String?

    @Option(help: "A file that is packed too, at the top of the content.")
    var adding: [String] = []

    @OptionGroup var directories: Directories

    func run() throws {
        let manifest = try manifest.map { try File.open($0).read(limit: 16 << 20) }
        let lines = try leavingOut.map { try File.open($0).read(limit: 256 << 20) } ?? []
        let left = Set(lines.split(separator: UInt8(ascii: "\n")).map { ExactText(bytes: $0) })
        var added: [String: [UInt8]] = [:]
        for name in adding { added[name] = try File.open(name).read(limit: 16 << 20) }
        let limits = try limits.map { try JSONText.read(Limits.self, Array($0.utf8)) } ?? Limits()
        let directory = Directory(adopting: 0, path: "the directory")
        let archive = File(adopting: 1, path: "the archive")
        // How much there is to read is not known before.
        try Confinement.enter(
            reading: directory.descriptor, file: .max,
            seconds: limits.patience(archive: Int64(clamping: limits.archive)))
        let verdict: UnpackVerdict
        do throws(ArchiveFailure) {
            return try ArchiveWriter.pack(
                directory: directory, to: archive, limits: limits, manifest: manifest, below: below,
                leavingOut: left, adding: added)
        } catch {
            switch error {
            case .refused(let refusal): verdict = UnpackVerdict(refusal)
            case .failed(let error): verdict = UnpackVerdict(problem: "\(error)")
            }
        }
        try File(adopting: 2, path: "answer").write(JSONText.line(verdict))
    }
}
