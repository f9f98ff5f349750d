import PatchJSON

/// A folder's plan, and a worker's order, as lines: a first one with all that is small, as JSON, then one for each step, way
/// back and slot, and a last one that says that nothing is missing. So both are written and read again at any size.
public enum PlanLines {
    /// Why lines are no plan or order.
    public struct Damage: Error, Sendable, CustomStringConvertible {
        /// For people.
        public var description: String
    }

    /// Writes a plan.
    public static func write(_ plan: FolderPlan, _ emit: ([UInt8]) throws -> Void) throws {
        var small = plan
        (small.steps, small.downgrades) = ([], [])
        try emit(FieldLine.line(["plan", String(decoding: JSONText.line(small), as: UTF8.self)]))
        try write(stepsOf: plan, emit)
        try emit(FieldLine.line(["end"]))
    }

    /// Writes an order.
    public static func write(_ order: WorkOrder, _ emit: ([UInt8]) throws -> Void) throws {
        var small = order
        (small.plan.steps, small.plan.downgrades, small.undo) = ([], [], [])
        small.ask = order.ask.map { _ in [] }
        try emit(FieldLine.line(["order", String(decoding: JSONText.line(small), as: UTF8.self)]))
        try write(stepsOf: order.plan, emit)
        for job in order.undo {
            var small = job
            (small.plan.steps, small.plan.downgrades, small.slots, small.ran) = ([], [], [], [])
            let json = String(decoding: try JSONText.line(small), as: UTF8.self)
            try emit(FieldLine.line(["undo", "\(job.job)", NumberRanges.text(job.ran), json]))
            try write(stepsOf: job.plan, emit)
            for slot in job.slots { try emit(FieldLine.line(["slot"] + slot.fields)) }
        }
        for path in order.ask ?? [] { try emit(FieldLine.line(["ask", path])) }
        try emit(FieldLine.line(["end"]))
    }

    private static func write(stepsOf plan: FolderPlan, _ emit: ([UInt8]) throws -> Void) throws {
        for step in plan.steps { try emit(FieldLine.line(["step"] + step.fields())) }
        for step in plan.downgrades { try emit(FieldLine.line(["downgrade"] + step.fields())) }
    }
}

/// Reads what ``PlanLines`` wrote, line by line.
public struct PlanReader {
    private var isOrder = false
    private var isWhole = false
    private var own: FolderPlan?
    private var small: WorkOrder?
    private var undo: [UndoneJob] = []
    private var ask: [String] = []
    /// The jobs that an order undoes, newest first.
    public private(set) var undone: [Int] = []
    private let skipsSteps: Bool

    /// - Parameter skipsSteps: whether only what is small is wanted: plans come without steps, orders without the jobs that
    ///   they undo, of which ``undone`` has the numbers.
    public init(skipsSteps: Bool = false) { self.skipsSteps = skipsSteps }

    /// Takes the next line, without its line feed.
    public mutating func take(_ line: ArraySlice<UInt8>) throws {
        let kind = line.prefix { $0 != UInt8(ascii: "\t") }
        if skipsSteps, ["step", "downgrade", "slot", "ask"].contains(where: { kind.elementsEqual($0.utf8) }) { return }
        let fields = FieldLine.fields(line)
        let rest = Array(fields.dropFirst())
        switch (fields[0], rest.count) {
        case ("plan", 1): own = try JSONText.read(FolderPlan.self, Array(rest[0].utf8))
        case ("order", 1):
            let order = try JSONText.read(WorkOrder.self, Array(rest[0].utf8))
            (small, own, isOrder) = (order, order.plan, true)
        case ("undo", 3):
            guard let job = Int(rest[0]), let ran = NumberRanges.numbers(rest[1]) else { throw damage(line) }
            undone.append(job)
            if skipsSteps { break }
            var read = try JSONText.read(UndoneJob.self, Array(rest[2].utf8))
            read.ran = ran
            undo.append(read)
        case ("step", _), ("downgrade", _):
            guard let step = try PlannedStep(fields: rest) else { throw damage(line) }
            append(step, isDowngrade: fields[0] == "downgrade")
        case ("slot", _):
            guard let slot = StepSlot(fields: rest), !undo.isEmpty else { throw damage(line) }
            undo[undo.count - 1].slots.append(slot)
        case ("ask", 1): ask.append(rest[0])
        case ("end", 0): isWhole = true
        default: throw damage(line)
        }
    }

    private mutating func append(_ step: PlannedStep, isDowngrade: Bool) {
        switch (undo.isEmpty, isDowngrade) {
        case (true, false): own?.steps.append(step)
        case (true, true): own?.downgrades.append(step)
        case (false, false): undo[undo.count - 1].plan.steps.append(step)
        case (false, true): undo[undo.count - 1].plan.downgrades.append(step)
        }
    }

    private func damage(_ line: ArraySlice<UInt8>) -> PlanLines.Damage {
        PlanLines.Damage(description: "\"\(String(decoding: line.prefix(80), as: UTF8.self))\" is no line of a plan")
    }

    /// The plan that was read.
    public func plan() throws -> FolderPlan {
        guard let own, !isOrder, isWhole else { throw PlanLines.Damage(description: "its end is missing") }
        return own
    }

    /// The order that was read.
    public func order() throws -> WorkOrder {
        guard var order = small, let own, isWhole else { throw PlanLines.Damage(description: "its end is missing") }
        order.plan = own
        order.undo = undo
        if order.ask != nil { order.ask = ask }
        return order
    }
}

extension PlannedStep {
    /// What only some steps have.
    private struct More: Hashable, Codable {
        var command: String?
        var registry: RegistryChange?
        var rows: RowRule?
        var statements: [String]?
        var migration: MigrationRule?
        var mayBeDirectory: Bool?
    }

    fileprivate func fields() throws -> [String] {
        let fields = [
            kind.rawValue, path, patch, source, "\(size)", mode.map { "\($0)" } ?? "", sha256, keep ? "keep" : "",
        ]
        let more = More(
            command: command, registry: registry, rows: rows, statements: statements, migration: migration,
            mayBeDirectory: mayBeDirectory)
        guard more != More() else { return fields }
        return fields + [String(decoding: try JSONText.line(more), as: UTF8.self)]
    }

    fileprivate init?(fields: [String]) throws {
        guard fields.count == 8 || fields.count == 9, let kind = Kind(rawValue: fields[0]), let size = UInt64(fields[4])
        else { return nil }
        self.init(
            kind: kind, path: fields[1], patch: fields[2], source: fields[3], size: size, mode: UInt16(fields[5]),
            sha256: fields[6], keep: fields[7] == "keep")
        guard fields.count == 9 else { return }
        let more = try JSONText.read(More.self, Array(fields[8].utf8))
        (command, registry, rows, statements) = (more.command, more.registry, more.rows, more.statements)
        (migration, mayBeDirectory) = (more.migration, more.mayBeDirectory)
    }
}

extension StepSlot {
    /// Its parts as fields of a line.
    public var fields: [String] {
        ["\(step)", "\(inode)", replaces.map { "\($0)" } ?? "", place, mount]
    }

    /// Reads ``fields``; nil when they are none.
    public init?(fields: some RandomAccessCollection<String>) {
        let parts = Array(fields)
        guard parts.count == 5, let step = Int(parts[0]), (0..<NumberRanges.limit).contains(step),
            let inode = UInt64(parts[1]), parts[2].isEmpty || UInt64(parts[2]) != nil
        else { return nil }
        self.init(step: step, inode: inode, replaces: UInt64(parts[2]), place: parts[3], mount: parts[4])
    }
}
