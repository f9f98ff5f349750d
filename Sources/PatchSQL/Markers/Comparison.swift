public import PatchModel

/// What a folder's state and its database say of each other: a restored dump or a foreign hand shows here, before
/// anything is touched. A pure decision.
public struct Comparison: Hashable, Sendable {
    /// The folder's version by its state; nil where none is known.
    public var version: Version?
    /// The scripts that were done in this database, by the state; nil where the state does not know.
    public var scripts: Set<StepKey>?
    /// What the database says; nil where patchd never wrote into it.
    public var record: DatabaseRecord?
    /// The scripts of the job under way: how far they are is its own business.
    public var underWay: Set<StepKey>
    /// The version that the job under way records when it comes to its end: it may have been killed right after that.
    public var coming: Version?

    /// A comparison of these.
    public init(
        version: Version?, scripts: Set<StepKey>? = nil, record: DatabaseRecord?, underWay: Set<StepKey> = [],
        coming: Version? = nil
    ) {
        self.version = version
        self.scripts = scripts
        self.record = record
        self.underWay = underWay
        self.coming = coming
    }

    /// How many scripts a message names.
    private static let shown = 5

    /// All that does not fit, each with the code `database`. Empty too where the database has no record and nothing
    /// says that it should have one: before patchd's first update of it.
    ///
    /// - Parameter place: `ENDPOINT/FOLDER`, for the commands in the messages.
    public func faults(of place: String) -> [Fault] {
        guard let record else {
            let scripts = ofUpdates(scripts)
            guard let scripts, !scripts.isEmpty else { return [] }
            return [
                fault(
                    "the database of \(place) has no record of patchd's, but \(names(scripts)) ran in it: "
                        + "it was replaced, or restored from a dump made before patchd's first update",
                    "restore a newer dump, or \(baseline(place)) with the version that it has")
            ]
        }
        if let faults = versionFaults(record, place) { return faults }
        return scriptFaults(record, place)
    }

    /// Nil where the versions agree; the scripts say nothing new where they do not.
    private func versionFaults(_ record: DatabaseRecord, _ place: String) -> [Fault]? {
        guard let own = record.version, let version, own != version, own != coming else { return nil }
        let found = "\(place) is at \(version), but its database at \(own)"
        guard own < version else {
            return [
                fault(
                    "\(found): somebody else updated it, or the folder's files were set back",
                    "restore the dump that belongs to \(version), or \(baseline(place, own)) to go on from there")
            ]
        }
        return [
            fault(
                "\(found): an older dump was restored, or somebody else set it back",
                "restore a newer dump, or \(baseline(place, own)), so that the updates above it run again; where it has "
                    + "what they brought all the same, \(baseline(place, version))")
        ]
    }

    private func scriptFaults(_ record: DatabaseRecord, _ place: String) -> [Fault] {
        var faults: [Fault] = []
        let others = record.steps.filter { !underWay.contains($0.key) }
        let cut = others.filter { !$0.isDone }
        if !cut.isEmpty {
            faults.append(
                fault(
                    "in the database of \(place), \(names(cut.map(\.key))) began and never ended: "
                        + "a dump made in the middle of an update was restored",
                    "restore another dump, or repair it by hand and \(baseline(place))"))
        }
        guard let scripts = ofUpdates(scripts) else { return faults }
        let done = Set(others.filter(\.isDone).map(\.key).filter { $0.migration == nil })
        let lost = scripts.subtracting(done).subtracting(underWay).subtracting(cut.map(\.key))
        if !lost.isEmpty {
            faults.append(
                fault(
                    "\(names(lost)) ran in \(place), but its database has no record of that: "
                        + "an older dump was restored",
                    "restore a newer dump, or \(baseline(place)) with the version before"))
        }
        let foreign = done.subtracting(scripts)
        if !foreign.isEmpty {
            faults.append(
                fault(
                    "the database of \(place) has a record of \(names(foreign)), which never ran there: "
                        + "it is another folder's",
                    "restore the folder's own dump, or \(baseline(place))"))
        }
        return faults
    }

    /// Which migrations are done, the database alone says.
    private func ofUpdates(_ scripts: Set<StepKey>?) -> Set<StepKey>? { scripts?.filter { $0.migration == nil } }

    private func baseline(_ place: String, _ version: Version? = nil) -> String {
        "run \"patchctl baseline \(place) \(version?.description ?? "VERSION")\""
    }

    private func names(_ keys: some Collection<StepKey>) -> String {
        let names = keys.map(\.description).sorted()
        let rest = names.count - Self.shown
        return names.prefix(Self.shown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private func fault(_ cause: String, _ wayOut: String) -> Fault { Fault(.database, "\(cause); \(wayOut)") }
}
