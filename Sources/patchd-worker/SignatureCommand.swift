import ArgumentParser
import Glibc
import PatchArchive
import PatchFiles
import PatchJSON
import PatchModel

/// Says who signed the archive on standard input, on standard output. Exit code 0 means that there is a verdict, whatever it says.
struct SignatureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "signature")

    @Option(name: .customLong("in"), help: "The directory with the signature and the keys.")
    var place = "."

    @OptionGroup var directories: Directories

    func run() throws {
        let answer = File(adopting: 1, path: "verdict")
        // Who finds this and no verdict knows that the check ran, and ended by what it read.
        try answer.write([UInt8(ascii: "\n")])
        let verdict: SignatureVerdict
        do throws(FileError) {
            let archive = File(adopting: 0, path: "archive")
            try Confinement.enter(
                runsPrograms: true, file: 1 << 20, seconds: Limits().patience(archive: try archive.status().size))
            verdict = try SignatureCheck.check(archive: archive, in: try Directory.open(place))
        } catch {
            verdict = SignatureVerdict(problem: "\(error)")
        }
        try answer.write(JSONText.line(verdict))
        try answer.sync()
    }
}
