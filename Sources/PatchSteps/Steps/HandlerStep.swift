import PatchFiles
import PatchModel

/// Hands a file to the endpoint's handler for its extension.
struct HandlerStep: RunStep {
    let index: Int
    let planned: PlannedStep

    func survey(_ survey: FolderSurvey) throws(FileError) {
        if let why = obstacle { survey.fault(.interpreter, why) }
        try survey.need(planned.size, on: "")
    }

    /// Why this process's user cannot run the handler; nil where nothing is in the way.
    private var obstacle: String? {
        guard let command = try? HandlerCommand(planned.command ?? "") else {
            return "cannot run \(planned.name): the plan has no command line for it; drop the archive again"
        }
        if Interpreter.isProgram(command.program) { return nil }
        return
            "cannot run \(planned.name): \(command.program) is no program that the folder's owner may run; install it, "
            + "or fix \"handlers\" in the endpoint's file"
    }

    /// Brings the file into its slot, under its own name.
    func stage(_ staging: FolderStaging) throws(WorkerError) {
        try fill(staging.own, staging.context)
        let inode = try staging.inode(of: self, in: staging.own)
        staging.slots.append(StepSlot(step: index, inode: inode, replaces: nil, place: ""))
    }

    private func fill(_ area: WorkArea, _ context: FolderContext) throws(WorkerError) {
        try working("stage \"\(planned.path)\" for its handler", step: index) { () throws(FileError) in
            _ = try area.slots.makeDirectory(WorkArea.slot(index), mode: 0o700)
        }
        try context.copyContent(of: self, to: area, mode: (planned.mode ?? 0o644) | 0o400)
    }

    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) {
        let area = try run.staged(slot, in: areas)
        let command: HandlerCommand
        do throws(HandlerCommand.Malformed) {
            command = try HandlerCommand(planned.command ?? "")
        } catch {
            throw .failed(step: index, .handler, "cannot run \(planned.name): its command line \(error.message)")
        }
        if run.isAgain {
            // What an earlier run left of the file is no concern of this one, which gets it again.
            try working("stage \"\(planned.path)\" for its handler anew", step: index) { () throws(FileError) in
                try area.slots.removeTree(WorkArea.slot(index))
            }
            try fill(area, run.context)
        }
        try run.run(command.arguments(file: area.slots.path + "/" + WorkArea.slot(of: planned, index)))
    }
}
