import Support

/// Draws sequences: what comes next depends on how the model stands, so that most commands mean something.
struct Draw {
    private(set) var random: SeededGenerator
    /// Apart, so that the seeds that are known draw what they always drew.
    private var troubles: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        troubles = SeededGenerator(seed: seed ^ 0x7275_6f74)
    }

    /// An endpoint with a random tree.
    mutating func model() -> Model {
        var folders: [ModelFolder] = []
        for number in 0..<(1 + random.below(6)) {
            let parent = folders.isEmpty ? nil : folders[random.below(folders.count)].name
            folders.append(ModelFolder(name: "F\(number)", parent: parent, version: random.once(in: 8) ? 2 : 1))
        }
        // Not drawn, so that the seeds that are known draw what they always drew.
        folders[folders.count / 2].rows = []
        let onFailure = Model.OnFailure.allCases[random.below(3)]
        var model = Model(
            onFailure: random.once(in: 2) ? .hold : onFailure, retain: 2 + random.below(4), folders: folders)
        model.asksForApproval = random.once(in: 4)
        return model
    }

    mutating func length() -> Int { 5 + random.below(21) }

    /// The next command.
    mutating func step(_ model: Model) -> Step {
        let action = action(model)
        guard random.once(in: 3) else { return Step(action: action, trouble: trouble(model, action)) }
        // Spread evenly over the orders of magnitude: the short commands have few points, the long ones many.
        let at = 1 + random.below(1 << (1 + random.below(8)))
        return Step(action: action, kill: .init(program: random.once(in: 2) ? "patchd" : "patchd-worker", at: at))
    }

    private mutating func trouble(_ model: Model, _ action: Action) -> Step.Trouble? {
        guard troubles.once(in: 4) else { return nil }
        if case .drop(let update, _, _, let failing) = action, update.script != .none,
            failing.contains(model.folders[0].name), troubles.once(in: 2)
        {
            // Those below are blocked: beside it nobody has to write anything.
            return .diskRunsFull
        }
        if troubles.once(in: 2) { return .fullDisk }
        // What waits could go on without the folder.
        guard model.jobs.allSatisfy(\.isFinal) else { return nil }
        let leaves = model.folders.map(\.name).dropFirst().filter { model.descendants(of: $0).isEmpty }
        return .missing(leaves.isEmpty || troubles.once(in: 3) ? nil : leaves[troubles.below(leaves.count)])
    }

    private mutating func action(_ model: Model) -> Action {
        // A hold keeps everything waiting, so that it is not there for long.
        if !model.holds.isEmpty, random.once(in: 4) {
            return .unhold(model.holds.sorted()[random.below(model.holds.count)])
        }
        if model.isClosed, random.once(in: 4) { return .window(isOpen: true) }
        let pending = model.jobs.filter { $0.state == "pendingApproval" }.map(\.number)
        if !pending.isEmpty, random.once(in: 2) {
            let number = pending[random.below(pending.count)]
            return random.once(in: 5) ? .decline(number) : .approve(number)
        }
        if model.asksForApproval, random.once(in: 20) {
            return random.once(in: 2) ? .decline(job(model)) : .approve(job(model))
        }
        return switch random.below(25) {
        case 0..<8: drop(model)
        case 8, 9: .rollbackFolder(folder(model), to: random.once(in: 3) ? 1 + random.below(5) : nil)
        case 10: .rollbackJob(job(model))
        case 11, 12, 13: resume(model)
        case 14: .cancel(job(model))
        case 15: .catchup(folder(model))
        case 16: .gc(retain: 1 + random.below(5))
        case 17: .nothing
        case 18: .hold(target(model))
        case 19: .window(isOpen: model.isClosed)
        case 20, 21: application(model)
        default: byHand(model)
        }
    }

    private mutating func folder(_ model: Model) -> String { model.folders[random.below(model.folders.count)].name }

    private mutating func application(_ model: Model) -> Action {
        let name = folder(model)
        return model.applications.contains(name) ? .leave(name) : .enter(name)
    }

    private mutating func target(_ model: Model) -> String {
        switch random.below(6) {
        case 0: "ALL"
        case 1: "farm"
        case 2: "other"
        default: "farm.\(folder(model))"
        }
    }

    /// Mostly one of the last jobs, at times one that does not exist.
    private mutating func job(_ model: Model) -> Int {
        let last = model.jobs.count
        return random.once(in: 4) ? 1 + random.below(last + 2) : max(1, last - random.below(3))
    }

    private mutating func drop(_ model: Model) -> Action {
        if let held = model.holding, random.once(in: 3) {
            var update = held.update
            update.variant += 1
            return .drop(update, exclude: held.exclude, only: held.only, failingIn: failing(model, update))
        }
        if let last = model.jobs.last(where: { $0.target == nil }), random.once(in: 5) {
            return .drop(last.update, exclude: last.exclude, only: last.only, failingIn: [])
        }
        let version = model.folders[0].version + (random.once(in: 5) ? 2 : 1)
        let scripts: [TestUpdate.Script] = [.withDowngrade, .withDowngrade, .withDowngrade, .none, .oneWay]
        let update = TestUpdate(version: version, variant: random.below(2), script: scripts[random.below(5)])
        var exclude: [String] = []
        var only: [String] = []
        if random.once(in: 4) { exclude = [random.once(in: 12) ? "nowhere" : folder(model)] }
        if exclude.isEmpty, random.once(in: 8) { only = [folder(model)] }
        return .drop(update, exclude: exclude, only: only, failingIn: failing(model, update))
    }

    private mutating func failing(_ model: Model, _ update: TestUpdate) -> [String] {
        if update.script == .none || !random.once(in: 3) { return [] }
        return random.once(in: 3) ? [folder(model), folder(model)] : [folder(model)]
    }

    private mutating func resume(_ model: Model) -> Action {
        let number = model.holding.map(\.number) ?? job(model)
        let held = model.holding
        let stopped = (held?.folders ?? [:]).filter { ["failed", "blocked"].contains($0.value) }.keys.sorted()
        let skip = !stopped.isEmpty && random.once(in: 4) ? [stopped[random.below(stopped.count)]] : []
        let assumed = random.once(in: 5) ? (random.once(in: 4) ? "nonsense" : held?.update.scriptName) : nil
        return .resume(number, fixed: random.once(in: 2), assumed: assumed, skip: skip)
    }

    private mutating func byHand(_ model: Model) -> Action {
        let name = folder(model)
        let own = model.folders[model.index(name)]
        let files = own.files.keys.sorted()
        let file = files.isEmpty ? "a.dat" : files[random.below(files.count)]
        switch random.below(7) {
        case 0, 1: return .byHand(name, .change(file))
        case 2: return .byHand(name, .remove(file))
        case 3: return .byHand(name, .make(random.once(in: 2) ? "foreign" : "d/foreign"))
        case 4: return .byHand(name, .removeLock)
        case 5:
            let other = folder(model)
            return other == name ? .nothing : .byHand(name, .copyLock(from: other))
        default:
            let other = folder(model)
            // In the middle of a job its own record is lost with it: what happens then is not the model's business.
            let isFit = other != name && model.holding == nil && !model.folders[model.index(other)].undo.isEmpty
            return isFit ? .byHand(name, .copyArea(from: other)) : .nothing
        }
    }
}
