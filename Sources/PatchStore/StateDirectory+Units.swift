import PatchFiles
import PatchModel

extension StateDirectory {
    /// Where a file of a unit's name keeps that unit down: absolute, without a slash at its end.
    public var quiesced: String { path + "/quiesced" }

    /// What is down and has to come back; empty before anything was ever stopped.
    public func units() throws(StoreError) -> QuiescedUnits {
        try read(QuiescedUnits.self, "units.json") ?? QuiescedUnits()
    }

    /// Replaces the record of what is down.
    public func write(_ units: QuiescedUnits) throws(StoreError) { try write(units, "units.json", mode: 0o644) }

    /// The units that are kept down.
    public func keptDown() throws(StoreError) -> Set<String> {
        guard try exists("quiesced") else { return [] }
        return Set(try files { () throws(FileError) in try Directory.open(quiesced).names() })
    }

    /// Makes the files that keep units down exactly these, durably.
    public func keepDown(_ units: Set<String>) throws(StoreError) {
        let present = try keptDown()
        if present == units { return }
        try files { () throws(FileError) in
            let directory = try Directory.open(path).ensureDirectory("quiesced", mode: 0o755)
            for name in units.subtracting(present) { _ = try directory.createFile(name, mode: 0o644) }
            for name in present.subtracting(units) { try directory.remove(name) }
            try directory.sync()
        }
    }
}
