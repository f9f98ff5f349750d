import Logging
import PatchModel
import PatchStore

extension Requests {
    /// Marks an update unstable, or takes the mark away.
    func mark(_ update: UpdateName, unstable isUnstable: Bool, _ record: inout AuditRecord) async throws -> Answer {
        record.update = update.description
        var unstable = try context.state.unstable()
        let version = try await version(of: update, unstable, marks: isUnstable)
        let full = "\(update.name) \(version)"
        let isMarked = unstable.contains(update.name, version)
        record.update = UpdateName(name: update.name, version: version).description
        unstable.marks.removeAll { $0.update == update.name && $0.version == version }
        if isUnstable {
            unstable.marks.append(
                UnstableUpdates.Mark(update: update.name, version: version, by: name(record), at: .now))
        }
        if isMarked != isUnstable {
            try context.state.write(unstable)
            context.logger.log(
                .updateMarked, "\(full) is \(isUnstable ? "unstable" : "stable"), says \(name(record))",
                EventFields(update: update.name))
        }
        // Again after a crash between the two.
        for supervisor in supervisors.values { try await supervisor.compareStates() }
        return Answer(
            ok: true, code: "",
            message: isUnstable ? "\(full) is marked unstable: it is applied with --force only" : "\(full) is stable")
    }

    /// The one version that is meant.
    ///
    /// - Throws: ``Fault`` `missing` where none or several are.
    private func version(
        of update: UpdateName, _ unstable: UnstableUpdates, marks: Bool
    ) async throws -> Version {
        if let version = update.version { return version }
        let marked = unstable.marks.filter { $0.update == update.name }.map(\.version)
        let known = marks ? Array(try await jobs.versions(of: update.name).union(marked)) : marked
        guard let first = known.first else {
            throw Fault(
                .missing,
                marks
                    ? "there was no job of an update \(update.name); name its version: \(update.name)@VERSION"
                    : "no version of \(update.name) is marked unstable")
        }
        guard known.count == 1 else {
            let names = known.sorted().map { "\(update.name)@\($0)" }
            throw Fault(.missing, "\(update.name) has several versions; say which: \(names.joined(separator: ", "))")
        }
        return first
    }
}
