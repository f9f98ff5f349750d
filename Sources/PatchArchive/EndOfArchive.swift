import PatchFiles

extension File {
    /// Whether a zip's end exists: an end of central directory record whose comment ends exactly where the file does
    /// (APPNOTE 4.3.16). A quick look at the last bytes that distinguishes a finished file from one that still grows;
    /// it says nothing about the rest.
    ///
    /// - Throws: when the file cannot be read; one that is no zip is no error.
    public func endsLikeAnArchive() throws(FileError) -> Bool {
        var window = try ArchiveWindow(self)
        do throws(ArchiveFailure) {
            if case .found = try EndRecord.search(in: &window) { return true }
            return false
        } catch {
            switch error {
            case .failed(let error): throw error
            // The file became shorter meanwhile.
            case .refused: return false
            }
        }
    }
}
