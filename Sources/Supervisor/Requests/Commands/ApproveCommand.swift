import Logging
import PatchConfig
import PatchJSON
import PatchModel
import PatchPlan
import PatchStore

/// Lets a job that waits for approval be carried out, or go on after its canary.
struct ApproveCommand: RequestCommand {
    let job: Int
    /// The archive that is approved; nil: the one that waits.
    let sha256: String?
    /// Options in place of the job's.
    let options: JSONValue?

    func carryOut(in context: RequestContext) async throws -> Answer? {
        guard let found = await context.jobs.job(job) else { return .unknown(job) }
        var note = Answer.Note()
        if found.request == context.request {
            // Carried out before the daemon ended in the middle of it.
            note.at = found.canary?.approver?.at ?? found.approval?.by?.at
            return .done("job \(job) is approved", note: note)
        }
        guard found.state == .pendingApproval || found.isPaused else {
            return .wrongState(found, "only one that waits for approval, or after its canary, is approved")
        }
        if let sha256, sha256.lowercased() != found.sha256 {
            return .refused(
                "archiveDiffers",
                "job \(job) is for the archive \(found.sha256), not \(sha256); see: patchctl show \(job)")
        }
        if found.isPaused { return try await endPause(found, context) }
        var planned: PlannedOptions?
        if let given = options {
            let options: UpdateOptions
            do throws(Refusal) {
                options = try changed(found, by: given, context.daemon)
            } catch {
                return .refused(error.code.rawValue, "\(error)")
            }
            if options != found.options {
                let supervisor = try context.supervisor(of: found.endpoint)
                planned = try supervisor.plans.value(
                    of: OptionOrder(request: context.request, job: found, options: options))
                guard planned != nil else {
                    supervisor.turn.raise()
                    return nil
                }
            }
        }
        let approver = JobApproval.Approver(
            name: context.user, uid: context.uid, at: context.daemon.clocks.now, sha256: found.sha256)
        note.at = approver.at
        // The approval first: the plan that it binds to is made again before the start.
        guard try await context.jobs.approve(job, by: approver, planned: planned, request: context.request) else {
            return .wrongState(found, "another approved or ended it meanwhile")
        }
        if let planned {
            try context.daemon.state.write(
                PlanReport(update: found.update, version: found.version, endpoints: [planned.plan]), job: job)
        }
        context.daemon.logger.log(
            .jobApproved,
            "job \(job): \(found.update) \(found.version) on \(found.endpoint) is approved by \(context.user), archive \(found.sha256)",
            EventFields(found))
        return .done("job \(job) is approved", note: note)
    }

    /// Has the others follow the canary, by the plan that the job has.
    private func endPause(_ found: Job, _ context: RequestContext) async throws -> Answer {
        if options != nil {
            return .refused(
                "optionsInvalid",
                "job \(job) has begun and keeps its options; approve it without any, or cancel it and drop the archive again"
            )
        }
        let approver = JobApproval.Approver(
            name: context.user, uid: context.uid, at: context.daemon.clocks.now, sha256: found.sha256)
        guard try await context.jobs.endPause(job, by: approver, request: context.request) else {
            return .wrongState(found, "the pause has ended meanwhile")
        }
        context.daemon.logger.log(
            .jobApproved,
            "job \(job): \(found.update) \(found.version) on \(found.endpoint) goes on after its canary, approved by \(context.user)",
            EventFields(found))
        return .done("job \(job) goes on", note: Answer.Note(at: approver.at))
    }

    /// A job's options with those that were given in their place.
    ///
    /// - Throws: ``Refusal`` `optionsInvalid`.
    private func changed(_ job: Job, by given: JSONValue, _ daemon: DaemonContext) throws(Refusal) -> UpdateOptions {
        let reader = JSONReader(given, at: JSONPath(file: "options"), refusedAs: .optionsInvalid)
        let changed = try job.options.changed(by: reader)
        guard let endpoint = daemon.endpoint(job.endpoint) else {
            throw reader.refusal("the endpoint \(job.endpoint) is configured no more")
        }
        // Those that the job had may name folders of other endpoints, those that are given may not.
        let manifest: Manifest?
        do throws(StoreError) {
            manifest = try daemon.state.contents(ofArchive: job.sha256)?.manifest
        } catch {
            throw reader.refusal("cannot be held against the archive: \(error)")
        }
        guard let manifest else { throw reader.refusal("the archive is no longer kept; drop it again") }
        var own = try UpdateOptions(reader)
        own.endpoints = nil
        try OptionsCheck.check(own, against: manifest, endpoints: [endpoint])
        if let name = changed.only.first(where: changed.exclude.contains) {
            throw reader.refusal("the folder \"\(name)\" is excluded and asked for at once")
        }
        return changed
    }
}
