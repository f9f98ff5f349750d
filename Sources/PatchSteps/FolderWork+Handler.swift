import Glibc
import PatchFiles
import PatchModel

extension FolderWork {
    /// Brings a handler's file into its slot, under its own name.
    func stage(handed step: PlannedStep, _ index: Int, to area: WorkArea) throws(WorkerError) {
        try working("stage \"\(step.path)\" for its handler", step: index) { () throws(FileError) in
            _ = try area.slots.makeDirectory(WorkArea.slot(index), mode: 0o700)
        }
        try copy(step, index, to: area, mode: (step.mode ?? 0o644) | 0o400, live: nil, place: "")
    }

    /// Runs the handler of a staged file to a good end.
    ///
    /// - Parameter isAgain: whether it was run before and did not come to its end: what it left of the file is no concern
    ///   of the next one, which gets it anew.
    func handOver(
        _ step: PlannedStep, _ index: Int, in area: WorkArea, _ run: ScriptRun, isAgain: Bool
    ) throws(WorkerError) {
        let command: HandlerCommand
        do throws(HandlerCommand.Malformed) {
            command = try HandlerCommand(step.command ?? "")
        } catch {
            throw .failed(step: index, .handler, "cannot run \(step.name): its command line \(error.message)")
        }
        if isAgain {
            try working("stage \"\(step.path)\" for its handler anew", step: index) { () throws(FileError) in
                try area.slots.removeTree(WorkArea.slot(index))
            }
            try stage(handed: step, index, to: area)
        }
        let file = area.slots.path + "/" + WorkArea.slot(of: step, index)
        try self.run(command.arguments(file: file), step, index, run)
    }
}

extension PlannedStep {
    /// Why this process's user cannot run the handler; nil where nothing is in the way.
    var handlerFault: String? {
        guard let command = try? HandlerCommand(command ?? "") else {
            return "cannot run \(name): the plan has no command line for it; drop the archive again"
        }
        var status = stat()
        if stat(command.program, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            access(command.program, X_OK) == 0
        {
            return nil
        }
        return "cannot run \(name): \(command.program) is no program that the folder's owner may run; install it, "
            + "or fix \"handlers\" in the endpoint's file"
    }
}
