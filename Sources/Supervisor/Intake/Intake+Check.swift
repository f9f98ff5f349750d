import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel
import PatchPlan
import PatchStore

/// What was taken is checked; it becomes jobs, or is refused.
extension Intake {
    /// Has a taken archive checked and makes its jobs, or refuses it. Safe to repeat.
    func process(_ claim: IntakeClaim) async throws {
        let own = try context.state.directory("intake/\(claim.id)")
        let optionBytes = try own.readFile("options.json")
        do {
            if let problem = claim.badOptions { throw Refusal(.optionsInvalid, problem) }
            let options = try optionBytes.map { bytes throws(Refusal) in
                try UpdateOptions(strictJSON: bytes, file: claim.file + ".json")
            }
            try await accept(claim, options: options ?? UpdateOptions())
            audit(claim)
        } catch let refusal as Refusal {
            log(refusal, claim.file)
            let archive = try own.file("content/archive.zip")
            let limit = context.configuration.daemon.limits.rejected
            try context.spool.rejections.add(
                claim.file, sha256: claim.sha256, refusal, options: optionBytes, at: claim.at, limit: limit
            ) { (rejected, free) throws(FileError) in
                let temporary = ".\(free).tmp"
                try rejected.remove(temporary)
                let copy = try rejected.createFile(temporary, mode: 0o640)
                _ = try archive.copy(to: copy)
                try copy.sync()
                try rejected.rename(temporary, to: rejected, free)
            }
        }
        try context.state.directory("intake").removeTree(claim.id)
    }

    /// Records who dropped what. A refused archive leaves nothing but what lies in `rejected/`.
    private func audit(_ claim: IntakeClaim) {
        guard let owner = claim.owner else { return }
        var record = AuditRecord(
            uid: owner, user: UserDatabase.name(of: owner) ?? "", request: claim.file, id: claim.id)
        record.at = claim.at
        record.command = "drop"
        record.sha256 = claim.sha256
        record.ok = true
        record.message = "taken"
        context.audit(record)
    }

    private func accept(_ claim: IntakeClaim, options: UpdateOptions) async throws {
        await jobs.arrives(claim.sha256)
        do {
            try await makeJobs(claim, options)
        } catch {
            await jobs.arrived(claim.sha256)
            throw error
        }
        await jobs.arrived(claim.sha256)
    }

    private func makeJobs(_ claim: IntakeClaim, _ options: UpdateOptions) async throws {
        let update = try checked(claim)
        let endpoints = try OptionsCheck.endpoints(for: update.manifest, options: options, context.configuration)
        try keep(claim, update)
        arrivals.waitForEarlier(claim.arrival)
        for endpoint in endpoints {
            if let job = try await jobs.resume(
                endpoint: endpoint.name, sha256: claim.sha256, options: options, claim: claim.id, drop: claim.drop)
            {
                let fields = await jobs.job(job).map { EventFields($0) }
                context.logger.log(
                    .jobResumed, "job \(job) on \(endpoint.name) is resumed: the same archive was dropped again",
                    fields ?? EventFields(job: job, endpoint: endpoint.name))
                continue
            }
            let warnings = UpdateWarnings.lines(of: update, for: endpoint)
            let job = try await jobs.create(
                endpoint: endpoint.name, manifest: update.manifest, sha256: claim.sha256, options: options,
                claim: claim.id, drop: claim.drop, warnings: warnings)
            context.logger.log(
                .jobQueued,
                "job \(job): \(options.operation.rawValue) \(update.manifest.name) \(update.manifest.version) on \(endpoint.name), from \(claim.file)"
                    + warnings.map { "; \($0)" }.joined(),
                EventFields(job: job, endpoint: endpoint.name, update: update.manifest.name))
        }
    }

    private func checked(_ claim: IntakeClaim) throws -> CheckedUpdate {
        if let kept = try context.state.contents(ofArchive: claim.sha256) { return kept }
        let own = try context.state.directory("intake/\(claim.id)")
        let content = try own.directory("content")
        var verdict: UnpackVerdict?
        var ended = ""
        var hasRun = false
        // A reader that died may have been killed; one that dies three times dies of this archive.
        for _ in 1...3 where verdict == nil {
            try content.removeTree("tree")
            try content.makeDirectory("tree", mode: 0o755)
            try own.remove("verdict.json")
            try own.replaceFile(
                "limits.json", with: JSONText.line(context.configuration.daemon.limits), mode: 0o644)
            let problem = try context.workers.unpack(in: own.path, id: claim.id)
            ended = problem ?? "no verdict"
            guard let bytes = try own.readFile("verdict.json", limit: 1 << 30), !bytes.isEmpty else { continue }
            hasRun = true
            verdict = try? JSONText.read(UnpackVerdict.self, bytes)
        }
        guard hasRun else {
            throw Fault(
                .io, "cannot unpack \(claim.file), which is kept and tried again: its reader does not start (\(ended))")
        }
        if let refusal = verdict?.refusal { throw refusal }
        if let problem = verdict?.problem {
            throw Fault(.io, "cannot unpack \(claim.file), which is kept and tried again: \(problem)")
        }
        guard let update = verdict?.update else {
            throw Refusal(.archiveMalformed, "the archive's reader ended without an answer (\(ended)) three times")
        }
        try context.state.write(update, in: "intake/\(claim.id)/content")
        return update
    }

    /// An archive is stored once for all its jobs.
    private func keep(_ claim: IntakeClaim, _ update: CheckedUpdate) throws {
        let archives = try context.state.directory("archives")
        if try archives.status(claim.sha256) != nil { return }
        let own = try context.state.directory("intake/\(claim.id)")
        try own.directory("content").removeLeftovers()
        try own.directory("content").syncFileSystem()
        do throws(FileError) { try own.renameNew("content", to: archives, claim.sha256) } catch {
            // Another user dropped the same.
            if error.number != EEXIST { throw error }
        }
        try archives.sync()
    }
}

extension OptionsCheck {
    /// The endpoints that an update is for: those that accept it, narrowed by the options.
    ///
    /// - Throws: ``Refusal`` `notAccepted` or `optionsInvalid`.
    static func endpoints(
        for manifest: Manifest, options: UpdateOptions, _ configuration: Configuration
    ) throws(Refusal) -> [Endpoint] {
        let chosen = try Acceptance.endpoints(for: manifest, options: options, among: configuration.endpoints)
        try check(options, against: manifest, endpoints: chosen)
        return chosen
    }
}
