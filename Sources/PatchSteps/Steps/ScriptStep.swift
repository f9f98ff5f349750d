import PatchFiles
import PatchModel

/// Runs a version-named `.sh` or `.php`.
struct ScriptStep: RunStep {
    let index: Int
    let planned: PlannedStep

    private var kind: ScriptName.Kind { planned.scriptKind ?? .sh }

    func survey(_ survey: FolderSurvey) throws(FileError) {
        let name = planned.scriptPlace(index, in: survey.order.plan)
        let file = try survey.context.tree.file(planned.source)
        if let why = try Interpreter(of: file, kind).obstacle {
            survey.fault(.interpreter, "cannot run script \(name): \(why)")
        }
        var check = ScriptTextCheck(kind)
        try file.forEachBlock { (block) throws(FileError) in
            check.take(block)
        } onError: {
            $0
        }
        if let why = check.problem {
            survey.fault(
                .script,
                """
                cannot run script \(name): \(why); ask the vendor for a corrected archive, or switch the patch \
                \(planned.patch) off
                """)
        }
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) { try staging.stage(self, mode: 0o700) }

    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) {
        let area = try run.staged(slot, in: areas)
        let name = WorkArea.slot(index)
        let interpreter = try working("run \(planned.name)", step: index) { () throws(FileError) in
            try Interpreter(of: area.slots.file(name), kind)
        }
        try run.run(interpreter.command + [area.slots.path + "/" + name])
    }
}

extension PlannedStep {
    /// Where a script lies in its patch, for messages.
    func scriptPlace(_ index: Int, in plan: FolderPlan) -> String {
        scriptPlace(isWayBack: index >= plan.steps.count)
    }
}

extension FolderStaging {
    /// Copies what a run step needs into its slot.
    func stage(_ step: some RunStep, mode: UInt16) throws(WorkerError) {
        try context.copyContent(of: step, to: own, mode: mode)
        let inode = try inode(of: step, in: own)
        slots.append(StepSlot(step: step.index, inode: inode, replaces: nil, place: ""))
    }
}
