import Glibc
import PatchFiles
import PatchModel

/// One run of a step.
struct StepRun {
    let context: FolderContext
    let database: FolderDatabase
    let step: PlannedStep
    let index: Int
    /// For the trace.
    let title: String
    /// From 1.
    let attempt: Int
    /// Whether it was begun before and did not come to its end.
    let isAgain: Bool
    /// The version that the folder has.
    let from: Version?
    /// The version that it is on its way to.
    let to: Version?
    /// What it is called in the folder's database; nil for what is not recorded there.
    let key: StepKey?

    /// Writes that it begins.
    func traceStart() {
        context.trace.write(.started, step: title, attempt > 1 ? "attempt \(attempt)" : "")
    }

    /// What the step prints.
    var output: ScriptOutput { ScriptOutput(context.trace, title: title, limit: context.order.outputLimit) }

    /// The slot of a step that staged one, with its area.
    func staged(_ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) -> WorkArea {
        guard let slot else {
            throw .failed(step: index, .io, "cannot run \(step.name): nothing is staged for it; roll the folder back")
        }
        return try context.area(of: slot, in: areas, step)
    }

    /// Runs a command that reads nothing to a good end, and makes durable what it wrote in the folder.
    func run(_ command: [String]) throws(WorkerError) {
        let empty = try working("run \(step.name)", step: index) { () throws(FileError) in try File.open("/dev/null") }
        try run(command, input: empty, failing: step.failure)
    }

    /// Runs a command to a good end, and makes durable what it wrote in the folder.
    ///
    /// - Parameters:
    ///   - input: its standard input.
    ///   - code: what its failure is called.
    func run(_ command: [String], input: borrowing File, failing code: FaultCode) throws(WorkerError) {
        func failure(_ message: String) -> WorkerError { .failed(step: index, code, "\(step.name) \(message)") }
        let descriptor = input.descriptor
        traceStart()
        var execution = ScriptExecution(
            context.seen(command), environment: context.seen(environment), seconds: context.order.scriptTimeout,
            shouldEnd: context.isStopOverdue)
        let result = try working("run \(step.name)", step: index) { () throws(FileError) in
            try execution.run(in: context.folder, input: descriptor, output: output, in: context.cage)
        }
        var said = execution.lastError.isEmpty ? "" : ": \(execution.lastError)"
        if case .exit(let exit) = result, context.cage == nil, SandboxHint.isInService {
            said += SandboxHint.text(exit, lastError: execution.lastError)
        }
        switch result {
        case .exit(.code(0)): break
        case .exit(.code(let code)):
            throw failure("ended with exit code \(code)\(said); see its trace\(fixed)")
        case .exit(.signal(let number)):
            throw failure("was ended by signal \(number)\(said); see its trace\(fixed)")
        case .timeout:
            throw failure(
                """
                took longer than scriptTimeout (\(Int(context.order.scriptTimeout)) s) and was stopped\(said); raise it or \
                fix the cause, then resume the job
                """)
        case .stopped:
            context.trace.write(
                .message, step: title,
                "the worker was asked to stop, and it did not end within \(Int(context.stopGrace)) s: it was ended")
            throw .stopped
        }
        try working("make what \(step.name) wrote durable", step: index) { () throws(FileError) in
            try context.folder.syncFileSystem()
        }
    }

    /// Of a rehearsal there is nothing to resume.
    private var fixed: String { context.recorder == nil ? ", fix the cause, then resume the job" : "" }

    private var environment: [String] {
        var variables =
            context.environment + [
                "PATCHD_FROM=\(from?.description ?? "")", "PATCHD_TO=\(to?.description ?? "")",
                "PATCHD_SCRIPT=\(step.path)", "PATCHD_ATTEMPT=\(attempt)",
            ]
        let steps = context.order.plan.steps
        if let first = steps.firstIndex(where: { $0.kind == .upload && $0.patch == step.patch }) {
            let slots = "\(context.folder.path)/\(WorkArea.name)/jobs/\(context.order.job)"
            variables.append("PATCHD_UPLOADS=\(slots)/\(WorkArea.uploads(first))")
        }
        return variables
    }
}

extension FolderContext {
    /// Texts with the folder's path as a program finds it: in a cage, the copy lies in the folder's place.
    func seen(_ texts: [String]) -> [String] {
        guard let cage else { return texts }
        return texts.map { $0.replacing(cage.copy, with: cage.place) }
    }

    /// What every command that runs for a folder finds in its environment.
    var environment: [String] {
        let user = getpwuid(geteuid())
        let home = user.map { String(cString: $0.pointee.pw_dir) } ?? "/"
        let name = user.map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
        var variables = [
            "PATH=\(Interpreter.path.joined(separator: ":"))", "HOME=\(home)", "USER=\(name)",
            "LOGNAME=\(name)", "LANG=C.UTF-8", "SHELL=/bin/sh",
            "PATCHD_ENDPOINT=\(order.endpoint)", "PATCHD_FOLDER=\(order.plan.folder)",
            "PATCHD_DATABASE_URL=\(order.database?.url.forScripts ?? "")",
        ]
        if recorder != nil { variables.append("PATCHD_REHEARSAL=1") }
        if order.database?.credentials != nil, let credentials { variables.append("PATCHD_CREDENTIALS=\(credentials)") }
        return variables
    }
}

extension PlannedStep {
    /// What a failure of the step's command is called.
    var failure: FaultCode {
        switch kind {
        case .handler: .handler
        case .hook: .hook
        case .rows: .database
        case .directory, .file, .remove, .registry, .script, .upload: .script
        }
    }

    /// The step's command in a sentence.
    var name: String {
        switch kind {
        case .handler: "the handler of \"\(path)\""
        case .hook: "the hook \(path)"
        case .directory, .file, .remove, .registry, .script, .rows, .upload: title
        }
    }
}
