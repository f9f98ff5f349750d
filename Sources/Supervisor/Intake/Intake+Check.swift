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
            let signer = try signer(of: claim, in: own)
            if let problem = claim.badOptions { throw Refusal(.optionsInvalid, problem) }
            let options = try optionBytes.map { bytes throws(Refusal) in
                try UpdateOptions(strictJSON: bytes, file: claim.file + ".json")
            }
            try await accept(claim, options: options ?? UpdateOptions(), signer: signer)
            audit(claim, signer: signer)
        } catch let refusal as Refusal {
            log(refusal, claim.file)
            let archive = try own.file("content/archive.zip")
            let limit = context.configuration.daemon.limits.rejected
            try context.spool.rejections.add(
                claim.file, sha256: claim.sha256, refusal, options: optionBytes,
                signature: try own.readFile("signature/\(SignatureFile.ofArchive)"), at: claim.at, limit: limit
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
    private func audit(_ claim: IntakeClaim, signer: String?) {
        guard let owner = claim.owner else { return }
        var record = AuditRecord(
            uid: owner, user: UserDatabase.name(of: owner) ?? "", request: claim.file, id: claim.id)
        record.at = claim.at
        record.command = "drop"
        record.sha256 = claim.sha256
        record.signer = signer
        record.ok = true
        record.message = "taken"
        context.audit(record)
    }

    private func accept(_ claim: IntakeClaim, options: UpdateOptions, signer: String?) async throws {
        await jobs.arrives(claim.sha256)
        do {
            try await makeJobs(claim, options, signer: signer)
        } catch {
            await jobs.arrived(claim.sha256)
            throw error
        }
        await jobs.arrived(claim.sha256)
    }

    private func makeJobs(_ claim: IntakeClaim, _ options: UpdateOptions, signer: String?) async throws {
        let update = try checked(claim)
        let endpoints = try OptionsCheck.endpoints(for: update.manifest, options: options, context.configuration)
        try keep(claim, update, isSigned: signer != nil)
        arrivals.waitForEarlier(claim.arrival)
        context.published.noteArrived(update.manifest, from: claim.file)
        let signed = signer.map { ", signed by \($0)" } ?? ""
        for endpoint in endpoints {
            if let job = try await jobs.resume(
                endpoint: endpoint.name, sha256: claim.sha256, options: options, claim: claim.id, drop: claim.drop,
                signer: signer ?? "")
            {
                let fields = await jobs.job(job).map { EventFields($0) }
                context.logger.log(
                    .jobResumed,
                    "job \(job) on \(endpoint.name) is resumed: the same archive was dropped again\(signed)",
                    fields ?? EventFields(job: job, endpoint: endpoint.name))
                continue
            }
            let warnings = UpdateWarnings.lines(of: update, for: endpoint)
            let job = try await jobs.create(
                endpoint: endpoint.name, manifest: update.manifest, sha256: claim.sha256, options: options,
                claim: claim.id, drop: claim.drop, signer: signer ?? "", warnings: warnings)
            context.logger.log(
                .jobQueued,
                "job \(job): \(options.operation.rawValue) \(update.manifest.name) \(update.manifest.version) on \(endpoint.name), from \(claim.file)\(signed)"
                    + warnings.map { "; \($0)" }.joined(),
                EventFields(job: job, endpoint: endpoint.name, update: update.manifest.name))
        }
    }

    private func checked(_ claim: IntakeClaim) throws -> CheckedUpdate {
        // What is kept and cannot be read is found out once more, from the archive itself.
        if let kept = try? context.state.contents(ofArchive: claim.sha256),
            try context.state.exists(StateDirectory.place(ofArchive: claim.sha256) + "/tree")
        {
            return kept
        }
        let own = try context.state.directory("intake/\(claim.id)")
        let content = try own.directory("content")
        let verdict = try answer(UnpackVerdict.self, in: "verdict.json", of: claim, in: own, limit: 1 << 30) {
            try content.removeTree("tree")
            try content.makeDirectory("tree", mode: 0o755)
            try own.replaceFile(
                "limits.json", with: JSONText.line(context.configuration.daemon.limits), mode: 0o644)
            return try context.workers.unpack(in: own.path, id: claim.id)
        }
        if let refusal = verdict.value?.refusal { throw refusal }
        if let problem = verdict.value?.problem {
            throw Fault(.io, "cannot unpack \(claim.file), which is kept and tried again: \(problem)")
        }
        guard let update = verdict.value?.update else {
            throw Refusal(
                .archiveMalformed, "the archive's reader ended without an answer (\(verdict.ended)) three times")
        }
        try context.state.write(update, in: "intake/\(claim.id)/content")
        return update
    }

    /// Has a reader of what was taken answer in a file. One that died may have been killed; one that dies three times dies of
    /// what it reads.
    ///
    /// - Returns: nil for no answer, and how the reader ended.
    func answer<Verdict: Decodable>(
        _ type: Verdict.Type, in file: String, of claim: IntakeClaim, in own: borrowing Directory, limit: Int,
        _ read: () throws -> String?
    ) throws -> (value: Verdict?, ended: String) {
        var ended = ""
        var hasRun = false
        for _ in 1...3 {
            try own.remove(file)
            ended = try read() ?? "no verdict"
            guard let bytes = try own.readFile(file, limit: limit), !bytes.isEmpty else { continue }
            hasRun = true
            if let value = try? JSONText.read(type, bytes) { return (value, ended) }
        }
        guard hasRun else {
            throw Fault(
                .io, "cannot read \(claim.file), which is kept and tried again: its reader does not start (\(ended))")
        }
        return (nil, ended)
    }

    /// An archive is stored once for all its jobs, with the signature that it came with last.
    private func keep(_ claim: IntakeClaim, _ update: CheckedUpdate, isSigned: Bool) throws {
        let archives = try context.state.directory("archives")
        let own = try context.state.directory("intake/\(claim.id)")
        let signature = isSigned ? try own.readFile("signature/\(SignatureFile.ofArchive)") : nil
        if try archives.status(claim.sha256) != nil {
            if let signature {
                try archives.directory(claim.sha256).replaceFile(SignatureFile.ofArchive, with: signature)
            }
            // It was checked once more: unless another user dropped the same, part of what was kept was damaged or gone, so that its
            // jobs could not be planned or gone on with.
            if try own.status("content/contents") != nil {
                let kept = try archives.directory(claim.sha256)
                if try kept.status("tree") == nil { try own.directory("content").rename("tree", to: kept, "tree") }
                if (try? context.state.contents(ofArchive: claim.sha256)) == nil {
                    try context.state.write(update, in: StateDirectory.place(ofArchive: claim.sha256))
                }
                try kept.syncFileSystem()
            }
            return
        }
        try own.directory("content").removeLeftovers()
        if let signature { try own.directory("content").replaceFile(SignatureFile.ofArchive, with: signature) }
        try context.state.shareArchive(in: "intake/\(claim.id)/content")
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
