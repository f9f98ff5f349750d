import Logging
import PatchConfig
import PatchJSON
import PatchModel
import PatchPlan
import PatchStore

extension Requests {
    /// - Parameter record: gets time and archive of the approval.
    /// - Returns: nil while the plan for changed options is being made.
    func approve(
        _ number: Int, sha256: String?, options given: JSONValue?, _ request: String, _ record: inout AuditRecord
    ) async throws -> Answer? {
        guard let job = await jobs.job(number) else { return unknown(number) }
        record.sha256 = sha256 ?? job.sha256
        let approved = Answer(ok: true, code: "", message: "job \(number) is approved")
        if job.request == request {
            // Carried out before the daemon ended in the middle of it.
            record.at = job.approval?.by?.at ?? record.at
            return approved
        }
        guard job.state == .pendingApproval else {
            return wrongState(job, "only one that waits for approval is approved")
        }
        if let sha256, sha256.lowercased() != job.sha256 {
            return Answer(
                ok: false, code: "archiveDiffers",
                message: "job \(number) is for the archive \(job.sha256), not \(sha256); see: patchctl show \(number)")
        }
        var planned: PlannedOptions?
        if let given {
            let options: UpdateOptions
            do throws(Refusal) {
                options = try changed(job, by: given)
            } catch {
                return Answer(ok: false, code: error.code.rawValue, message: "\(error)")
            }
            if options != job.options {
                guard let supervisor = supervisors[job.endpoint] else { return unknown(number) }
                planned = try supervisor.plans.plan(OptionPlans.Order(request: request, job: job, options: options))
                guard planned != nil else {
                    supervisor.turn.raise()
                    return nil
                }
            }
        }
        let approver = JobApproval.Approver(name: name(record), uid: record.uid, at: .now, sha256: job.sha256)
        record.at = approver.at
        // The approval first: the plan that it binds to is made again before the start.
        guard try await jobs.approve(number, by: approver, planned: planned, request: request) else {
            return wrongState(job, "another approved or ended it meanwhile")
        }
        if let planned {
            try context.state.write(
                PlanReport(update: job.update, version: job.version, endpoints: [planned.plan]), job: number)
        }
        context.logger.log(
            .jobApproved,
            "job \(number): \(job.update) \(job.version) on \(job.endpoint) is approved by \(name(record)), archive \(job.sha256)",
            EventFields(job))
        return approved
    }

    func decline(_ number: Int, _ request: String, _ record: inout AuditRecord) async throws -> Answer {
        guard let job = await jobs.job(number) else { return unknown(number) }
        record.sha256 = job.sha256
        guard try await jobs.decline(number, by: name(record), request: request) else {
            return wrongState(job, "only one that waits for approval is declined; see: patchctl cancel \(number)")
        }
        if job.state == .pendingApproval {
            context.logger.log(
                .jobDeclined,
                "job \(number): \(job.update) \(job.version) on \(job.endpoint) is declined by \(name(record))",
                EventFields(job))
        }
        return Answer(ok: true, code: "", message: "job \(number) is declined")
    }

    /// For people.
    func name(_ record: AuditRecord) -> String { record.user.isEmpty ? "uid \(record.uid)" : record.user }

    /// A job's options with those that were given in their place.
    ///
    /// - Throws: ``Refusal`` `optionsInvalid`.
    private func changed(_ job: Job, by given: JSONValue) throws(Refusal) -> UpdateOptions {
        let reader = JSONReader(given, at: JSONPath(file: "options"), refusedAs: .optionsInvalid)
        let changed = try job.options.changed(by: reader)
        guard let endpoint = context.endpoint(job.endpoint) else {
            throw reader.refusal("the endpoint \(job.endpoint) is configured no more")
        }
        // Those that the job had may name folders of other endpoints, those that are given may not.
        let manifest: Manifest?
        do throws(StoreError) {
            manifest = try context.state.manifest(ofArchive: job.sha256)
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
