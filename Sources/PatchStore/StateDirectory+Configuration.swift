import Glibc
import PatchFiles
import PatchJSON
import PatchModel

extension StateDirectory {
    /// What the daemon said of the configuration; nil before it first read one.
    public func configurationAnswer() throws(StoreError) -> ConfigurationAnswer? {
        try read(ConfigurationAnswer.self, "configuration.json")
    }

    /// Replaces it. Group patchd may read it, others may not: the configuration may hold passwords, and a problem may
    /// quote it.
    public func write(_ answer: ConfigurationAnswer) throws(StoreError) {
        let bytes: [UInt8]
        do {
            bytes = try JSONText.page(answer)
        } catch {
            throw StoreError("cannot write \"\(path)/configuration.json\": \(error)")
        }
        let group = geteuid() == 0 ? Self.group("patchd") : nil
        try files { () throws(FileError) in
            try Directory.open(path).replaceFile(
                "configuration.json", with: bytes, mode: 0o640, owner: group.map { (0, $0) })
        }
    }
}
