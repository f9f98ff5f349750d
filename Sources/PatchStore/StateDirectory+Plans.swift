import Glibc
import PatchFiles
import PatchModel

extension StateDirectory {
    /// Replaces a job's plan: first the steps of each folder, in a file of its own, then the overview, without which none of
    /// them counts.
    public func write(_ plan: PlanReport, job: Int) throws(StoreError) {
        let place = "jobs/\(job)"
        let generation = (try overview(job: job)?.generation ?? 0) + 1
        let steps = "\(place)/plan/\(generation)"
        try files { () throws(FileError) in
            let plans = try Directory.open(path + "/" + place).ensureDirectory("plan", mode: 0o750)
            try plans.removeTree("\(generation)")
            _ = try plans.ensureDirectory("\(generation)", mode: 0o750)
        }
        for folder in plan.endpoints.flatMap(\.folders) where !folder.steps.isEmpty || !folder.downgrades.isEmpty {
            try writeLines("\(steps)/\(folder.folder)", mode: 0o640) { emit in try PlanLines.write(folder, emit) }
            try share("\(steps)/\(folder.folder)")
        }
        for shared in ["\(place)/plan", steps] { try share(shared) }
        try write(PlanOverview(plan, generation: generation), "\(place)/plan.json", mode: 0o640)
        try share("\(place)/plan.json")
        try removeOldPlans(job: job)
    }

    /// Removes steps that no overview goes with: of the plan before, and of one that was cut off.
    func removeOldPlans(job: Int) throws(StoreError) {
        let names = try files { () throws(FileError) in try Directory.open(path + "/jobs/\(job)/plan").names() }
        if names.count == 1, try exists("jobs/\(job)/plan.json") { return }
        let current: String?
        do throws(StoreError) { current = try overview(job: job).map { "\($0.generation)" } } catch {
            // It may be restored.
            return
        }
        try files { () throws(FileError) in
            let plans = try Directory.open(path + "/jobs/\(job)/plan")
            for old in names where old != current { try plans.removeTree(old) }
        }
    }

    /// Has a job planned again when its turn comes.
    public func removePlan(job: Int) throws(StoreError) {
        try files { () throws(FileError) in
            let own = try Directory.open(path + "/jobs/\(job)")
            try own.remove("plan.json")
            try own.removeTree("plan")
        }
    }

    /// Where a job's folders stand in its plan, without their steps; nil before it is made.
    public func overview(job: Int) throws(StoreError) -> PlanOverview? {
        try read(PlanOverview.self, "jobs/\(job)/plan.json")
    }

    /// A job's plan with all steps; nil before it is made. Where the job's work was forgotten there are no steps any more.
    public func plan(job: Int) throws(StoreError) -> PlanReport? {
        guard let overview = try overview(job: job) else { return nil }
        if overview.generation == 0 { return try read(PlanReport.self, "jobs/\(job)/plan.json") }
        var report = overview.outline
        if try !exists("jobs/\(job)/ledger"), try self.job(job)?.state.isFinal == true { return report }
        for (index, part) in overview.endpoints.enumerated() {
            for (number, folder) in part.folders.enumerated() where folder.count + folder.downgrades > 0 {
                report.endpoints[index].folders[number] = try plan(folder, job: job, overview.generation)
            }
        }
        return report
    }

    private func plan(_ folder: FolderOverview, job: Int, _ generation: Int) throws(StoreError) -> FolderPlan {
        let place = "jobs/\(job)/plan/\(generation)/\(folder.plan.folder)"
        guard let plan = try readPlan(place, { (reader) throws in try reader.plan() }) else {
            throw StoreError("cannot read \"\(path)/\(place)\": it is missing; restore it from a backup")
        }
        return plan
    }

    /// Writes what a worker is to do to a folder.
    public func write(_ order: WorkOrder, job: Int, folder: String) throws(StoreError) {
        try files { () throws(FileError) in
            _ = try Directory.open(path + "/jobs/\(job)").ensureDirectory("orders")
        }
        try writeLines(Self.place(ofOrder: folder, job: job), mode: 0o600) { emit in
            try PlanLines.write(order, emit)
        }
    }

    private static func place(ofOrder folder: String, job: Int) -> String { "jobs/\(job)/orders/\(folder)" }

    /// Where a folder's order lies: absolute.
    public func path(ofOrder folder: String, job: Int) -> String {
        path + "/" + Self.place(ofOrder: folder, job: job)
    }

    /// What a worker is to do, or did, to a folder; nil where there is no order.
    public func order(job: Int, folder: String) throws(StoreError) -> WorkOrder? {
        try readPlan(Self.place(ofOrder: folder, job: job)) { (reader) throws in try reader.order() }
    }

    /// The same without the steps and without the jobs that it undoes, of which there are the numbers, newest first.
    public func orderOutline(job: Int, folder: String) throws(StoreError) -> (order: WorkOrder, undone: [Int])? {
        try readPlan(Self.place(ofOrder: folder, job: job), skipsSteps: true) { (reader) throws in
            (try reader.order(), reader.undone)
        }
    }

    private func readPlan<Value>(
        _ relative: String, skipsSteps: Bool = false, _ result: (PlanReader) throws -> Value
    ) throws(StoreError) -> Value? {
        var reader = PlanReader(skipsSteps: skipsSteps)
        let isThere = try readLines(relative) { line in
            try reader.take(line)
            return true
        }
        guard isThere else { return nil }
        do { return try result(reader) } catch { throw damage(relative, error) }
    }

    /// Writes a scratch order, which need not outlive its worker.
    public func write(_ order: WorkOrder, scratch name: String) throws(StoreError) -> String {
        try writeLines(".\(name).tmp", mode: 0o600) { emit in try PlanLines.write(order, emit) }
        return path + "/.\(name).tmp"
    }

    /// Replaces a file with lines that are made one by one.
    func writeLines(
        _ relative: String, mode: UInt16, _ body: (_ emit: ([UInt8]) throws -> Void) throws -> Void
    ) throws(StoreError) {
        var problem: (any Error)?
        let (parent, name) = Directory.split(relative)
        do throws(FileError) {
            try Directory.open(path + "/" + (parent ?? "")).replaceFile(name, mode: mode) {
                (file) throws(FileError) in
                var buffer: [UInt8] = []
                do {
                    try body { line in
                        buffer += line
                        guard buffer.count >= 1 << 16 else { return }
                        try file.write(buffer)
                        buffer.removeAll(keepingCapacity: true)
                    }
                } catch {
                    problem = error
                    throw error as? FileError ?? FileError("write", file.path, number: EINVAL)
                }
                try file.write(buffer)
            }
        } catch {
            if let problem, !(problem is FileError) {
                throw StoreError("cannot write \"\(path)/\(relative)\": \(problem)")
            }
            throw StoreError(error)
        }
    }

    /// Reads a file line by line, whatever its size.
    ///
    /// - Parameter body: ends the reading by returning false.
    /// - Returns: whether the file is there.
    func readLines(_ relative: String, _ body: (ArraySlice<UInt8>) throws -> Bool) throws(StoreError) -> Bool {
        let file: File
        do throws(FileError) { file = try Directory.open(path).file(relative) } catch {
            if error.number == ENOENT { return false }
            throw StoreError(error)
        }
        var problem: StoreError?
        try file.forEachLine(onError: StoreError.init) { (line, _) throws(StoreError) in
            do { return try body(line) } catch {
                problem = damage(relative, error)
                return false
            }
        }
        if let problem { throw problem }
        return true
    }
}
