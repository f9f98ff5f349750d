import Logging
import PatchModel
import PatchStore

/// Marks an update unstable, or takes the mark away.
struct MarkCommand: RequestCommand {
    let update: UpdateName
    let isUnstable: Bool

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let state = context.daemon.state
        var unstable = try state.unstable()
        let version = try await version(unstable, context.jobs)
        let full = "\(update.name) \(version)"
        let isMarked = unstable.contains(update.name, version)
        unstable.marks.removeAll { $0.update == update.name && $0.version == version }
        if isUnstable {
            unstable.marks.append(
                UnstableUpdates.Mark(
                    update: update.name, version: version, by: context.user, at: context.daemon.clocks.now))
        }
        if isMarked != isUnstable {
            try state.write(unstable)
            context.daemon.logger.log(
                .updateMarked, "\(full) is \(isUnstable ? "unstable" : "stable"), says \(context.user)",
                EventFields(update: update.name))
        }
        // Again after a crash between the two.
        for supervisor in context.supervisors.values { try await supervisor.compareStates() }
        return .done(
            isUnstable ? "\(full) is marked unstable: it is applied with --force only" : "\(full) is stable",
            note: Answer.Note(update: UpdateName(name: update.name, version: version).description))
    }

    /// The one version that is meant.
    ///
    /// - Throws: ``Fault`` `missing` where none or several are.
    private func version(_ unstable: UnstableUpdates, _ jobs: JobStore) async throws -> Version {
        if let version = update.version { return version }
        let marked = unstable.marks.filter { $0.update == update.name }.map(\.version)
        let known = isUnstable ? Array(try await jobs.versions(of: update.name).union(marked)) : marked
        guard let first = known.first else {
            throw Fault(
                .missing,
                isUnstable
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
