import ArgumentParser
import Glibc
import PatchFiles

/// An archive that another host's patchctl sends along (`-H`): it comes on standard input and has no path here.
struct SentFile: ParsableArguments {
    @Option(help: .hidden)
    var sentAs: String?

    @Option(help: .hidden)
    var sentSignature: String?

    /// The archive, wherever it comes from.
    func open(_ path: String) throws -> File {
        guard sentAs != nil else { return try UpdateFile.open(path) }
        let scratch = try Scratch()
        let file = try scratch.directory.createFile("archive")
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(FileError("read", "standard input").description) }
            // Its name goes with the directory; the content stays as long as it is open.
            if count == 0 { return file }
            try file.write(Array(buffer[..<count]))
        }
    }

    /// Its signature; nil where it has none.
    func signature(of path: String) throws(Failure) -> [UInt8]? {
        sentAs == nil ? try UpdateFile.signature(of: path) : sentSignature.map { Array($0.utf8) }
    }

    /// What it is called.
    func name(of path: String) -> String { Directory.split(sentAs ?? path).name }
}

/// A command whose file another host needs to have.
protocol SendsFile {
    /// As it was named.
    var file: String { get }
}

extension Submit: SendsFile {}
extension Test: SendsFile {}
extension Plan: SendsFile {}
extension Lint: SendsFile {}
