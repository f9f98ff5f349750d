import PatchModel

/// Which steps of a folder's plan are tried, and which cannot be. A pure decision.
struct RehearsalSteps {
    /// By their numbers in the plan, in order.
    private(set) var kept: [Int] = []
    /// What is left out, with why.
    private(set) var omissions: [FolderRehearsal.Omission] = []
    /// The first script, rows or handler's file that is left out: what comes behind it may have needed it.
    private(set) var firstOmitted: Int?

    /// - Parameters:
    ///   - equal: the steps whose effect is there already.
    ///   - database: why nothing can be tried in the database; nil where it can.
    ///   - programs: why no program can be tried; nil where it can.
    ///   - outreach: why a script in SQL cannot, by its step.
    init(
        _ plan: FolderPlan, equal: Set<Int>, database: String?, programs: String?, outreach: [Int: String]
    ) {
        let triesPrograms = programs == nil && plan.steps.contains { $0.isProgram }
        if let database { omissions.append(.init(reason: database)) }
        for (index, step) in plan.steps.enumerated() where !equal.contains(index) {
            switch step.kind {
            case .hook: continue
            case .handler: omit(step, index, "it is handed to a command of the admin's (handlers)")
            case .script where step.isProgram:
                if let programs { omit(step, index, programs) } else { kept.append(index) }
            case .script:
                if database != nil {
                    firstOmitted = firstOmitted ?? index
                } else if let why = outreach[index] {
                    omit(step, index, why)
                } else {
                    kept.append(index)
                }
            case .rows: if database == nil { kept.append(index) } else { firstOmitted = firstOmitted ?? index }
            case .directory, .file, .remove, .registry, .upload: if triesPrograms { kept.append(index) }
            }
        }
    }

    private mutating func omit(_ step: PlannedStep, _ index: Int, _ reason: String) {
        firstOmitted = firstOmitted ?? index
        omissions.append(.init(script: step.kind == .script ? step.rehearsalName : step.path, reason: reason))
    }
}

extension PlannedStep {
    /// Whether it is a `.sh` or `.php`.
    var isProgram: Bool { kind == .script && scriptKind != .sql }
}
