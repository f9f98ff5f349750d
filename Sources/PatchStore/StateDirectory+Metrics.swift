import PatchFiles

/// `STATE/metrics/`: text for other programs (contract §14), readable by everybody. It follows from the rest, so that a power
/// cut may take its last change.
extension StateDirectory {
    private static let metrics = "metrics"
    /// Bytes that are read of an earlier file: more than ten thousand folders fill.
    private static let most = 64 << 20

    /// What was written last; nil for nothing.
    public func metrics(_ name: String) throws(StoreError) -> String? {
        try files { () throws(FileError) in
            let own = try Directory.open(path)
            if try own.status(Self.metrics) == nil { return nil }
            return try own.directory(Self.metrics).readFile(name, limit: Self.most).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    /// Replaces a file as a whole.
    public func write(metrics text: String, _ name: String) throws(StoreError) {
        try files { () throws(FileError) in
            try Directory.open(path).ensureDirectory(Self.metrics, mode: 0o755).replaceFile(
                name, with: Array(text.utf8), mode: 0o644, through: ".\(name).tmp", isDurable: false)
        }
    }
}
