import Foundation

/// What other readers see in archives: names, and the hashes of the data, of files only. Python's zipfile, Info-ZIP's unzip
/// (its `-t` has to be content, too) and libarchive's bsdtar, both from the files that they write.
enum OtherReaders {
    private static let script = """
        import hashlib, json, os, shutil, subprocess, sys, tempfile, zipfile

        def name(i):
            # Without flag 11 Python takes a name for code page 437; its bytes are what was written.
            return i.filename if i.flag_bits & 0x800 else i.filename.encode("cp437").decode("utf-8")

        def zipped(path):
            with zipfile.ZipFile(path) as z:
                return {name(i): hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist() if not i.is_dir()}

        def written(command):
            place = tempfile.mkdtemp()
            try:
                done = subprocess.run([a.replace("OUT", place) for a in command], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                if done.returncode: return {"": "exit %d: %s" % (done.returncode, done.stdout[-400:].decode(errors="replace"))}
                found = {}
                for base, _, files in os.walk(os.fsencode(place)):
                    for file in files:
                        whole = os.path.join(base, file)
                        # A mode without a right to read it is the archive's.
                        os.chmod(whole, 0o600)
                        with open(whole, "rb") as f: hash = hashlib.sha256(f.read()).hexdigest()
                        found[os.path.relpath(whole, os.fsencode(place)).decode()] = hash
                return found
            finally:
                shutil.rmtree(place, ignore_errors=True)

        def tested(path):
            done = subprocess.run(["unzip", "-tqq", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return {"": "exit %d: %s" % (done.returncode, done.stdout[-400:].decode(errors="replace"))} if done.returncode else None

        def attempt(read, *arguments):
            try: return read(*arguments)
            except Exception as error: return {"": repr(error)}

        seen = {}
        for path in sys.stdin.read().splitlines():
            views = {"zipfile": attempt(zipped, path)}
            if shutil.which("unzip") and sys.argv[1] == "all":
                views["unzip"] = attempt(tested, path) or attempt(written, ["unzip", "-qqo", path, "-d", "OUT"])
            if shutil.which("bsdtar") and sys.argv[1] == "all":
                views["bsdtar"] = attempt(written, ["bsdtar", "-xf", path, "-C", "OUT"])
            seen[path] = views
        json.dump(seen, sys.stdout)
        """

    /// For each archive and reader: name to SHA-256; what a reader refuses has the empty name and its reason. Names are as
    /// `zipfile` gives them: those of the others are without a `./` in front.
    static func views(of archives: [String]) throws -> [String: [String: [String: String]]] {
        try read(archives, "all")
    }

    /// What Python's zipfile alone sees.
    static func zipfile(_ archives: [String]) throws -> [String: [String: String]] {
        try read(archives, "zipfile").mapValues { $0["zipfile"] ?? [:] }
    }

    private static func read(_ archives: [String], _ which: String) throws -> [String: [String: [String: String]]] {
        if archives.isEmpty { return [:] }
        let answer = try run(
            ["python3", "-c", script, which], in: NSTemporaryDirectory(), environment: ["LC_ALL": "C.UTF-8"],
            input: archives.map { $0 + "\n" }.joined())
        return try JSONDecoder().decode([String: [String: [String: String]]].self, from: Data(answer.utf8))
    }
}
