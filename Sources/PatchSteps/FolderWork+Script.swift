import Glibc
import PatchFiles
import PatchModel

extension FolderWork {
    /// One run of a staged script.
    struct ScriptRun {
        /// For the trace.
        var title: String
        /// From 1.
        var attempt: Int
        /// The version that the folder has.
        var from: Version?
        /// The version that it is on its way to.
        var to: Version?
    }

    /// Three attempts after the first one: a vendor's script that ends the worker itself must not do so for ever.
    private static var attempts: Int { 4 }

    /// Fails the step when it was cut off too often.
    func checkAttempt(_ attempt: Int, _ step: PlannedStep, _ index: Int) throws(WorkerError) {
        guard attempt > Self.attempts else { return }
        throw .failed(
            step: index, step.failure,
            """
            \(step.name) was cut off \(Self.attempts) times; look at the trace for what ends it, then resume \
            the job
            """)
    }

    /// Runs a script from its slot to a good end, and makes durable what it wrote.
    ///
    /// - Parameter key: what it is called in the folder's database.
    /// - Returns: false when somebody asked to stop before it could begin.
    mutating func run(
        _ step: PlannedStep, _ slot: StepSlot, in area: WorkArea, _ run: ScriptRun, key: StepKey
    ) throws(WorkerError) -> Bool {
        if ScriptName(step.path)?.kind == .sql { return try runSQL(step, slot, in: area, run, key: key) }
        try runProgram(step, slot, in: area, run)
        return true
    }

    private func runProgram(
        _ step: PlannedStep, _ slot: StepSlot, in area: WorkArea, _ run: ScriptRun
    ) throws(WorkerError) {
        let name = WorkArea.slot(slot.step)
        let interpreter = try working("run \(step.name)", step: slot.step) { () throws(FileError) in
            try Script.interpreter(of: area.slots.file(name), ScriptName(step.path)?.kind ?? .sh)
        }
        try self.run(interpreter + [area.slots.path + "/" + name], step, slot.step, run)
    }

    /// Runs a step's command to a good end, and makes durable what it wrote in the folder.
    func run(_ command: [String], _ step: PlannedStep, _ index: Int, _ run: ScriptRun) throws(WorkerError) {
        trace.write(.started, step: run.title, run.attempt > 1 ? "attempt \(run.attempt)" : "")
        let seconds = order.scriptTimeout
        let environment = environment(step, run)
        let result = try working("run \(step.name)", step: index) { () throws(FileError) in
            try Script.run(command, environment: environment, in: folder, seconds: seconds) { line in
                trace.write(.output, step: run.title, line)
            }
        }
        switch result {
        case .exit(.code(0)): break
        case .exit(.code(let code)):
            throw .failed(
                step: index, step.failure,
                "\(step.name) ended with exit code \(code); see its trace, fix the cause, then resume the job")
        case .exit(.signal(let number)):
            throw .failed(
                step: index, step.failure,
                "\(step.name) was ended by signal \(number); see its trace, then resume the job")
        case .timeout:
            throw .failed(
                step: index, step.failure,
                """
                \(step.name) took longer than scriptTimeout (\(Int(seconds)) s) and was stopped; raise it or fix \
                the cause, then resume the job
                """
            )
        }
        try working("make what \(step.name) wrote durable", step: index) { () throws(FileError) in
            try folder.syncFileSystem()
        }
    }

    private func environment(_ step: PlannedStep, _ run: ScriptRun) -> [String] {
        environment() + [
            "PATCHD_FROM=\(run.from?.description ?? "")", "PATCHD_TO=\(run.to?.description ?? "")",
            "PATCHD_SCRIPT=\(step.path)", "PATCHD_ATTEMPT=\(run.attempt)",
        ]
    }

    /// What every command that runs for a folder finds.
    func environment() -> [String] {
        let user = getpwuid(geteuid())
        let home = user.map { String(cString: $0.pointee.pw_dir) } ?? "/"
        let name = user.map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
        return [
            "PATH=\(Script.path.joined(separator: ":"))", "HOME=\(home)", "USER=\(name)",
            "LOGNAME=\(name)", "LANG=C.UTF-8", "SHELL=/bin/sh",
            "PATCHD_ENDPOINT=\(order.endpoint)", "PATCHD_FOLDER=\(order.plan.folder)",
            "PATCHD_DATABASE_URL=\(order.database?.url.description ?? "")",
        ]
    }
}

extension PlannedStep {
    /// What a failure of the step's command is called.
    var failure: FaultCode {
        switch kind {
        case .handler: .handler
        case .hook: .hook
        case .rows: .database
        case .directory, .file, .remove, .registry, .script: .script
        }
    }

    /// The step's command in a sentence.
    var name: String {
        switch kind {
        case .handler: "the handler of \"\(path)\""
        case .hook: "the hook \(path)"
        case .directory, .file, .remove, .registry, .script, .rows: title
        }
    }
}
