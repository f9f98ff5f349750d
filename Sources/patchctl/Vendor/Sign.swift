import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Sign: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign an update archive; writes FILE.sig.",
        discussion: """
            ssh-keygen signs, so KEY is what it takes: a private key, a public one whose private key an agent has, a \
            certificate, or a key on hardware. The archive does not change, and a signature that is there already stays.
            """)

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @Option(help: "The key, as for ssh-keygen -Y sign -f.", completion: .file())
    var key: String

    @OptionGroup var directories: Directories

    func run() throws {
        let (parent, name) = Directory.split(file)
        let target = name + SignatureFile.suffix
        // Opened first: what is no file is not asked a passphrase for.
        _ = try UpdateFile.open(file)
        do {
            let place = try Directory.open(parent.map { $0.isEmpty ? "/" : $0 } ?? ".")
            guard try place.status(target) == nil else { throw Self.exists(file) }
            let signature = try Signer(key: key).signature(of: file)
            let temporary = ".\(target).\(UInt64.random(in: .min ... .max)).tmp"
            do {
                let written = try place.createFile(temporary, mode: 0o644)
                try written.write(signature)
                try written.sync()
                try place.renameNew(temporary, to: place, target)
                try place.sync()
            } catch {
                try? place.remove(temporary)
                throw error
            }
        } catch let error as FileError {
            if error.number == EEXIST { throw Self.exists(file) }
            throw Failure("cannot write the signature: \(error)")
        }
        Output.line(file + SignatureFile.suffix)
    }

    private static func exists(_ file: String) -> Failure {
        Failure(.refused, "\(file)\(SignatureFile.suffix) exists; remove it to sign anew")
    }
}
