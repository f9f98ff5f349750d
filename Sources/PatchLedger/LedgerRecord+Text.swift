import PatchJSON
import PatchModel

/// How a record stands in its line: its name, then its parts as fields. A list whose length is not known from the rest stands
/// behind its count.
extension LedgerRecord {
    /// What stands in front of a session's fields.
    fileprivate static let session = "session"

    private static func fields(of blocker: Blocker) -> [String] {
        let process = [
            blocker.pid.map { "\($0)" } ?? "", "\(blocker.started)", blocker.command,
            blocker.unit.map { "=" + $0 } ?? "", blocker.writes ? "writes" : "reads",
        ]
        return process + (blocker.session.map(fields) ?? [])
    }

    private static func fields(of session: DatabaseSession) -> [String] {
        [
            Self.session, session.id, session.began, session.user, session.address, session.statement,
            session.seconds.map { "\($0)" } ?? "", session.canBeEnded ? "" : "stays",
        ]
    }

    var fields: [String] {
        switch self {
        case .surveyed(let faults, let warnings, let equal):
            ["surveyed", NumberRanges.text(equal), "\(faults.count)"]
                + faults.flatMap { [$0.folder, $0.code.rawValue, $0.message] } + warnings
        case .read(let statements):
            ["read"]
                + statements.sorted { $0.key < $1.key }.flatMap { step, lines in ["\(step)", "\(lines.count)"] + lines }
        case .backedUp(let backup): ["backedUp", backup.name, "\(backup.size)", backup.sha256, backup.mode]
        case .inUse(let step, let blockers, let ends):
            ["inUse", Self.text(step), ends ? "ends" : "asked"] + blockers.flatMap(Self.fields)
        case .yielded(let step, let blockers): ["yielded", Self.text(step)] + blockers.flatMap(Self.fields)
        case .admitted(let at): ["admitted", "\(at)"]
        case .restored(let job): ["restored", "\(job)"]
        case .staged(let slots): ["staged"] + slots.flatMap(\.fields)
        case .stagedMore(let slots): ["stagedMore"] + slots.flatMap(\.fields)
        case .prepared: ["prepared"]
        case .started(let step, let attempt): ["started", "\(step)", "\(attempt)"]
        case .finished(let steps): ["finished", NumberRanges.text(steps)]
        case .warned(let step, let message): ["warned", "\(step)", message]
        case .failed(let step, let code, let message): ["failed", Self.text(step), code.rawValue, message]
        case .resumed: ["resumed"]
        case .interrupted: ["interrupted"]
        case .done: ["done"]
        case .reverting: ["reverting"]
        case .undoing(let job, let step, let attempt): ["undoing", "\(job)", "\(step)", "\(attempt)"]
        case .undone(let job, let steps): ["undone", "\(job)", NumberRanges.text(steps)]
        case .reverted: ["reverted"]
        case .forgotten: ["forgotten"]
        case .verified(let changed, let missing): ["verified", "\(changed.count)"] + changed + missing
        case .found(let facts):
            ["found", facts.registryText.map { "=" + $0 } ?? "", facts.registrySHA256 ?? ""]
                + [facts.migrations?.text ?? "", facts.unasked ?? ""] + facts.present.sorted().map(\.description)
        case .rehearsing(let attempt): ["rehearsing", "\(attempt)"]
        case .rehearsed(let rehearsal):
            // Its numbers are finite, so it can be written.
            ["rehearsed", (try? JSONText.line(rehearsal)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"]
        }
    }

    /// Reads ``fields``; nil when they are no record that this version knows.
    init?(fields: [String]) {
        guard let record = LedgerFields(fields).record() else { return nil }
        self = record
    }

    private static func text(_ step: Int?) -> String { step.map { "\($0)" } ?? "" }
}

/// Takes a record's fields one by one.
private struct LedgerFields {
    private let fields: [String]
    private var at = 0

    init(_ fields: [String]) { self.fields = fields }

    private var left: Int { fields.count - at }

    private mutating func text() -> String? {
        guard left > 0 else { return nil }
        defer { at += 1 }
        return fields[at]
    }

    private mutating func texts(_ count: Int) -> [String]? {
        guard count >= 0, count <= left else { return nil }
        defer { at += count }
        return Array(fields[at..<(at + count)])
    }

    /// Bytes of a text for people: it goes into job, state, lock and journal, and a folder's owner may write what he likes.
    private static let longest = 16 << 10

    private static func shown(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longest - 4)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return text[..<end] + " …"
    }

    /// A text for people.
    private mutating func message() -> String? { text().map(Self.shown) }

    private mutating func number() -> Int? { text().flatMap { Int($0) } }

    /// A step's number, which no plan is large enough for when it is above the limit.
    private mutating func step() -> Int? { number().flatMap { (0..<NumberRanges.limit).contains($0) ? $0 : nil } }

    private mutating func optionalStep() -> Int?? {
        guard let raw = text() else { return nil }
        if raw.isEmpty { return .some(nil) }
        return Int(raw).flatMap { (0..<NumberRanges.limit).contains($0) ? $0 : nil }.map { .some($0) }
    }

    private mutating func steps() -> [Int]? { text().flatMap(NumberRanges.numbers) }

    private mutating func slots() -> [StepSlot]? {
        guard left % 5 == 0 else { return nil }
        var slots: [StepSlot] = []
        while left > 0 {
            guard let parts = texts(5), let slot = StepSlot(fields: parts) else { return nil }
            slots.append(slot)
        }
        return slots
    }

    private mutating func faults() -> [Fault]? {
        guard let count = number(), count >= 0, count <= left / 3 else { return nil }
        var faults: [Fault] = []
        for _ in 0..<count {
            guard let folder = message(), let code = text().flatMap(FaultCode.init), let message = message() else {
                return nil
            }
            faults.append(Fault(folder: folder, code, message))
        }
        return faults
    }

    private mutating func blockers() -> [Blocker]? {
        var blockers: [Blocker] = []
        while left > 0 {
            guard let pid = text(), pid.isEmpty || Int32(pid) != nil, let started = text().flatMap({ UInt64($0) }),
                let command = message(), let unit = message(), let access = text()
            else { return nil }
            var blocker = Blocker(
                pid: Int32(pid), started: started, command: command,
                unit: unit.isEmpty ? nil : String(unit.dropFirst()), writes: access == "writes")
            if left > 0, fields[at] == LedgerRecord.session {
                guard let session = session() else { return nil }
                blocker.session = session
            }
            blockers.append(blocker)
        }
        return blockers
    }

    /// Of a blocker on a server; what stands in front of its fields is no process's number.
    private mutating func session() -> DatabaseSession? {
        guard let parts = texts(8)?.map(Self.shown), parts[6].isEmpty || Int(parts[6]) != nil else { return nil }
        return DatabaseSession(
            id: parts[1], began: parts[2], user: parts[3], address: parts[4], statement: parts[5],
            seconds: Int(parts[6]), canBeEnded: parts[7] != "stays")
    }

    private mutating func statements() -> [Int: [String]]? {
        var statements: [Int: [String]] = [:]
        while left > 0 {
            guard let step = step(), let count = number(), let lines = texts(count) else { return nil }
            statements[step] = lines
        }
        return statements
    }

    private mutating func facts() -> FolderFacts? {
        guard let registry = text(), let sum = text(), let records = text(), let unasked = text(),
            let present = texts(left)
        else { return nil }
        let migrations = records.isEmpty ? nil : MigrationRecords(text: records)
        guard records.isEmpty == (migrations == nil) else { return nil }
        return try? FolderFacts(
            registryText: registry.isEmpty ? nil : String(registry.dropFirst()),
            registrySHA256: sum.isEmpty ? nil : sum, present: Set(present.map { ExactText($0) }),
            migrations: migrations, unasked: unasked.isEmpty ? nil : unasked)
    }

    consuming func record() -> LedgerRecord? {
        var this = self
        guard let record = this.read(), this.left == 0 else { return nil }
        return record
    }

    private mutating func read() -> LedgerRecord? {
        switch text() {
        case "surveyed":
            guard let equal = steps(), let faults = faults(), let warnings = texts(left) else { return nil }
            return .surveyed(faults: faults, warnings: warnings.map(Self.shown), equal: equal)
        case "read": return statements().map { .read(statements: $0) }
        case "backedUp":
            guard let name = text(), let size = text().flatMap({ Int64($0) }), let sum = text(), let mode = text()
            else {
                return nil
            }
            return .backedUp(DatabaseBackup(name: name, size: size, sha256: sum, mode: mode))
        case "yielded":
            guard let step = optionalStep(), let blockers = blockers() else { return nil }
            return .yielded(step: step, by: blockers)
        case "admitted":
            guard let at = text().flatMap({ Timestamp($0) }) else { return nil }
            return .admitted(at: at)
        case "inUse":
            guard let step = optionalStep(), let what = text(), let blockers = blockers() else { return nil }
            return .inUse(step: step, by: blockers, ends: what == "ends")
        case "restored": return number().map { .restored(job: $0) }
        case "staged": return slots().map { .staged($0) }
        case "stagedMore": return slots().map { .stagedMore($0) }
        case "prepared": return .prepared
        case "started":
            guard let step = step(), let attempt = number() else { return nil }
            return .started(step: step, attempt: attempt)
        case "finished": return steps().map { .finished(steps: $0) }
        case "warned":
            guard let step = step(), let message = message() else { return nil }
            return .warned(step: step, message: message)
        case "failed":
            guard let step = optionalStep(), let code = text().flatMap(FaultCode.init), let message = message() else {
                return nil
            }
            return .failed(step: step, code: code, message: message)
        case "resumed": return .resumed
        case "interrupted": return .interrupted
        case "done": return .done
        case "reverting": return .reverting
        case "undoing":
            guard let job = number(), let step = step(), let attempt = number() else { return nil }
            return .undoing(job: job, step: step, attempt: attempt)
        case "undone":
            guard let job = number(), let steps = steps() else { return nil }
            return .undone(job: job, steps: steps)
        case "reverted": return .reverted
        case "forgotten": return .forgotten
        case "verified":
            guard let count = number(), let changed = texts(count), let missing = texts(left) else { return nil }
            return .verified(changed: changed, missing: missing)
        case "found": return facts().map { .found($0) }
        case "rehearsing": return number().map { .rehearsing(attempt: $0) }
        case "rehearsed":
            guard let json = text(), let rehearsal = try? JSONText.read(FolderRehearsal.self, Array(json.utf8)) else {
                return nil
            }
            return .rehearsed(rehearsal)
        default: return nil
        }
    }
}
