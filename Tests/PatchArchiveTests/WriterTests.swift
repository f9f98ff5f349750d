import Foundation
import PatchArchive
import PatchFiles
import PatchModel
import Testing

/// An ordinary writer, run on a plain folder: `OUT` stands for the archive, the working directory is the folder.
struct Writer: Sendable, CustomStringConvertible {
    var description: String
    var command: [String]
    var input: String?
    /// Whether it leaves Unix modes.
    var hasModes = true
    /// Whether the folder itself is the archive's top directory.
    var isBelowTop = false
    /// Whether every name begins with `./`.
    var isBelowDot = false
    /// Whether names beyond ASCII come through.
    var isUnicode = true
}

@Suite struct WriterTests {
    private static let python = """
        import os, sys, zipfile
        class Pipe:
            def __init__(self, f): self.f = f
            def write(self, b): return self.f.write(b)
            def flush(self): self.f.flush()
        out, method, wide, pipe = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "wide", sys.argv[4] == "pipe"
        raw = open(out, "wb")
        with zipfile.ZipFile(Pipe(raw) if pipe else raw, "w", method) as z:
            for base, dirs, files in os.walk("."):
                for name in dirs + files:
                    path = os.path.relpath(os.path.join(base, name), ".")
                    if os.path.isdir(path): z.write(path)
                    else:
                        info = zipfile.ZipInfo.from_file(path)
                        info.compress_type = method
                        with z.open(info, "w", force_zip64=wide) as f: f.write(open(path, "rb").read())
        raw.close()
        """

    /// Of Perl's two modules that write zips one comes with it.
    private static let perl = """
        use File::Find; use IO::Compress::Zip qw(:all);
        my ($out, $wide, $stored) = @ARGV; my @files;
        find({no_chdir => 1, wanted => sub { push @files, substr($_, 2) if -f }}, ".");
        zip \\@files => $out, Stream => 1, Zip64 => $wide, Efs => 1, Method => $stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE or die $ZipError;
        """
    private static let perlArchiveZip =
        #"my $z = Archive::Zip->new; $z->addTree("."); $z->writeToFileNamed($ARGV[0]) == 0 or die"#

    private static func isInstalled(_ writer: Writer) -> Bool {
        guard writer.command.first == "perl" else { return true }
        let modules = writer.command.filter { $0.hasPrefix("-M") }
        return (try? run(["perl"] + modules + ["-e", "1"], in: "/tmp")) != nil
    }

    static let writers = all.filter(isInstalled)

    private static let all: [Writer] = [
        Writer(description: "zip -r", command: ["zip", "-qr", "OUT", "."]),
        Writer(description: "zip -rX", command: ["zip", "-qrX", "OUT", "."]),
        Writer(description: "zip -rD", command: ["zip", "-qrD", "OUT", "."]),
        Writer(description: "zip -r0", command: ["zip", "-qr0", "OUT", "."]),
        Writer(description: "zip with a comment", command: ["zip", "-qrz", "OUT", "."], input: "a comment\n.\n"),
        Writer(description: "zip to a pipe", command: ["sh", "-c", "zip -qr - . | cat > OUT"]),
        Writer(description: "zip -0 to a pipe", command: ["sh", "-c", "zip -qr0 - . | cat > OUT"]),
        Writer(
            description: "zip in the C locale", command: ["env", "LC_ALL=C", "zip", "-qr", "OUT", "."], isUnicode: false
        ),
        Writer(
            description: "zip of the folder from outside", command: ["sh", "-c", "cd .. && zip -qr OUT source"],
            isBelowTop: true),
        Writer(description: "7z a", command: ["7z", "a", "-bd", "-bso0", "OUT", "."]),
        Writer(description: "7z a -mx=0", command: ["7z", "a", "-bd", "-bso0", "-mx=0", "OUT", "."]),
        Writer(description: "zip -fz, which is zip64", command: ["zip", "-qr", "-fz", "OUT", "."]),
        Writer(description: "zip -UN=UTF8, with bit 11", command: ["zip", "-qr", "-UN=UTF8", "OUT", "."]),
        Writer(description: "zip -9", command: ["zip", "-qr9", "OUT", "."]),
        Writer(
            description: "7z a -mcu, with bit 11", command: ["7z", "a", "-tzip", "-mcu=on", "-bd", "-bso0", "OUT", "."]),
        Writer(
            description: "Perl's Archive::Zip", command: ["perl", "-MArchive::Zip", "-e", perlArchiveZip, "OUT"]),
        Writer(description: "Perl to a stream", command: ["perl", "-e", perl, "OUT", "0", "0"], hasModes: false),
        Writer(
            description: "Perl to a stream, zip64", command: ["perl", "-e", perl, "OUT", "1", "0"], hasModes: false),
        Writer(
            description: "Perl to a stream, stored", command: ["perl", "-e", perl, "OUT", "0", "1"], hasModes: false),
        Writer(description: "bsdtar", command: ["sh", "-c", "bsdtar --format zip -cf OUT *"]),
        Writer(
            description: "bsdtar, stored",
            command: ["sh", "-c", "bsdtar --format zip --options zip:compression=store -cf OUT *"]),
        Writer(description: "bsdtar of .", command: ["sh", "-c", "bsdtar --format zip -cf OUT ."], isBelowDot: true),
        Writer(
            description: "bsdtar of the folder from outside",
            command: ["sh", "-c", "cd .. && bsdtar --format zip -cf OUT ./source"], isBelowTop: true, isBelowDot: true),
        Writer(description: "Python, stored", command: ["python3", "-c", python, "OUT", "0", "", ""]),
        Writer(description: "Python, deflate", command: ["python3", "-c", python, "OUT", "8", "", ""]),
        Writer(description: "Python, zip64", command: ["python3", "-c", python, "OUT", "8", "wide", ""]),
        Writer(description: "Python to a pipe, stored", command: ["python3", "-c", python, "OUT", "0", "", "pipe"]),
        Writer(description: "Python to a pipe, deflate", command: ["python3", "-c", python, "OUT", "8", "", "pipe"]),
        Writer(description: "Python to a pipe, zip64", command: ["python3", "-c", python, "OUT", "8", "wide", "pipe"]),
        Writer(
            description: "Python to a pipe, zip64, stored",
            command: ["python3", "-c", python, "OUT", "0", "wide", "pipe"]),
        Writer(
            description: "shutil.make_archive",
            command: ["python3", "-c", "import shutil, sys; shutil.make_archive(sys.argv[1][:-4], 'zip', '.')", "OUT"]),
        Writer(description: "jar", command: ["jar", "cMf", "OUT", "."], hasModes: false),
        Writer(description: "jar, stored", command: ["jar", "cM0f", "OUT", "."], hasModes: false),
        Writer(
            description: "git archive",
            command: [
                "sh", "-c",
                """
                git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm x \
                && git archive --format=zip -o OUT HEAD && rm -rf .git
                """,
            ], hasModes: false),
    ]

    @Test("What an ordinary writer makes of a plain folder is accepted, as Python reads it", arguments: writers)
    func accepted(_ writer: Writer) throws {
        let scratch = try Scratch()
        let source = try plainFolder(in: scratch, isUnicode: writer.isUnicode)
        let out = scratch.path + "/out.zip"
        let command = writer.command.map { $0.replacingOccurrences(of: "OUT", with: out) }
        try run(command, in: source, environment: ["LC_ALL": "C.UTF-8"], input: writer.input)
        try holdAgainstPython(
            out, below: (writer.isBelowDot ? "./" : "") + (writer.isBelowTop ? "source/" : ""))
        let update = try #require(try check(out).update)
        let script = update.entries.first { $0.path == "P/FILPATCH/sub/run.sh" }
        if writer.hasModes { #expect(script?.mode == 0o755) }
        #expect(try check(out).hashes == (try Self.hashes(of: source)))
    }

    @Test("What Go's archive/zip writes is accepted, also stored data with a descriptor")
    func go() throws {
        let scratch = try Scratch()
        let source = try plainFolder(in: scratch)
        let program = """
            package main

            import ("archive/zip"; "io/fs"; "os")

            func main() {
                for i, name := range os.Args[2:] {
                    file, _ := os.Create(name)
                    w := zip.NewWriter(file)
                    root := os.DirFS(os.Args[1])
                    fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
                        if d.IsDir() { return nil }
                        info, _ := d.Info()
                        h, _ := zip.FileInfoHeader(info)
                        h.Name = path
                        if i == 1 { h.Method = zip.Deflate }
                        out, err := w.CreateHeader(h)
                        if err != nil { panic(err) }
                        data, _ := fs.ReadFile(root, path)
                        out.Write(data)
                        return nil
                    })
                    if err := w.Close(); err != nil { panic(err) }
                    file.Close()
                }
            }
            """
        let place = try scratch.directory("go")
        try Data(program.utf8).write(to: URL(filePath: place + "/main.go"))
        let archives = ["stored", "deflated"].map { scratch.path + "/\($0).zip" }
        try run(
            ["go", "run", "main.go", source] + archives, in: place,
            environment: ["GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off"])
        for archive in archives {
            try holdAgainstPython(archive, below: "")
            #expect(try check(archive).hashes == (try Self.hashes(of: source)))
        }
    }

    @Test("The zeros that bsdtar pads a pipe with are refused, and bsdtar is named")
    func paddedPipe() throws {
        let scratch = try Scratch()
        let source = try plainFolder(in: scratch)
        try run(["sh", "-c", "bsdtar --format zip -cf - * | cat > \(scratch.path)/out.zip"], in: source)
        let verdict = try check(scratch.path + "/out.zip")
        #expect(verdict.outcome == "archiveMalformed")
        #expect(verdict.refusal?.reason.contains("bsdtar") == true, "\(verdict.story)")
    }

    @Test("bzip2 and passwords are refused by their names")
    func otherMethods() throws {
        let scratch = try Scratch()
        let source = try plainFolder(in: scratch)
        try run(["zip", "-qrZ", "bzip2", scratch.path + "/bzip2.zip", "."], in: source)
        #expect(try check(scratch.path + "/bzip2.zip").outcome == "archiveMethod")
        try run(["zip", "-qrP", "secret", scratch.path + "/secret.zip", "."], in: source)
        #expect(try check(scratch.path + "/secret.zip").outcome == "archiveEncrypted")
    }

    /// The sample update with an empty file, an empty directory and a name beyond ASCII.
    private func plainFolder(in scratch: Scratch, isUnicode: Bool = true) throws -> String {
        let source = try scratch.directory("source")
        try Sample.write(to: source)
        try FileManager.default.createDirectory(
            atPath: source + "/P/FILPATCH/nothing", withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: source + "/P/FILPATCH/empty.txt"))
        if isUnicode { try Data([1]).write(to: URL(filePath: source + "/P/FILPATCH/über.txt")) }
        return source
    }

    private func holdAgainstPython(_ archive: String, below top: String) throws {
        let verdict = try check(archive)
        #expect(verdict.story == "accepted")
        let seen = try #require(try OtherReaders.zipfile([archive])[archive])
        let own = Dictionary(uniqueKeysWithValues: verdict.hashes.map { (top + $0.key, $0.value) })
        #expect(own == seen)
    }

    private static func hashes(of source: String) throws -> [String: String] {
        let root = try Directory.open(source)
        var found: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: source)
        where try root.status(name)?.kind == .file {
            found[name] = try root.file(name).sha256()
        }
        return found
    }
}
