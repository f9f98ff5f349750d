import Foundation

/// What Python's zipfile sees in archives: the central directory's names and the hashes of the data.
enum PythonView {
    private static let script = """
        import hashlib, json, sys, zipfile
        seen = {}
        def name(i):
            # Without flag 11 Python takes a name for code page 437; its bytes are what was written.
            return i.filename if i.flag_bits & 0x800 else i.filename.encode("cp437").decode("utf-8")
        for path in sys.stdin.read().splitlines():
            with zipfile.ZipFile(path) as z:
                seen[path] = {name(i): hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist() if not i.is_dir()}
        json.dump(seen, sys.stdout)
        """

    /// For each archive: name to SHA-256, of files only.
    static func of(_ archives: [String]) throws -> [String: [String: String]] {
        let answer = try run(
            ["python3", "-c", script], in: NSTemporaryDirectory(), input: archives.map { $0 + "\n" }.joined())
        return try JSONDecoder().decode([String: [String: String]].self, from: Data(answer.utf8))
    }
}
