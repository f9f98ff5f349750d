import PatchModel

/// A status as a list of what is to be done: values in, lines out.
struct StatusPage {
    let report: StatusReport
    /// The configuration directory.
    let configuration: String
    let now: Timestamp
    /// Of the terminal; nil: nothing is folded.
    let width: Int?

    var lines: [Line] {
        let folders = report.endpoints.enumerated().flatMap { index, endpoint in
            (index == 0 ? [] : [Line(text: "")]) + FolderTree(endpoint: endpoint, now: now, width: width).lines
        }
        return folders + (items.isEmpty || folders.isEmpty ? [] : [Line(text: "")]) + items
    }

    /// What is to be known besides the folders, what an admin has to do something about first.
    private var items: [Line] {
        refusal
            + report.units.flatMap { unit in
                item(
                    "down", unit.unit, unit.since, LocalTime.localized(unit.problem, now: now), next: unit.next, .red)
            }
            + report.jobs.sorted { Self.rank($0) < Self.rank($1) }.flatMap(lines)
            + report.holds.flatMap(lines)
    }

    private var refusal: [Line] {
        guard let problems = report.configuration.refused else { return [] }
        let text = "the configuration in \(configuration) is refused; patchd keeps the one it has"
        return paragraph("refused: \(text)", .red)
            + problems.split(separator: "\n").flatMap { paragraph(String($0), .red, lead: "  ") }
            + paragraph("next: patchctl config check", .red, lead: "  ")
    }

    private func lines(_ hold: StandingHold) -> [Line] {
        let end =
            hold.until.map { "until \(LocalTime.brief($0, now: now))" }
            ?? hold.pid.map { "until process \($0) ends" } ?? "since \(LocalTime.brief(hold.since, now: now))"
        let reason = hold.reason.isEmpty ? "" : " (\"\(hold.reason)\")"
        return paragraph(
            "held: \(hold.target) by \(hold.owner) \(end)\(reason); patchctl unhold \(hold.target)", .yellow)
    }

    private func lines(_ job: Job) -> [Line] {
        let word =
            switch job.state {
            case .pendingApproval: "approval"
            case .failed: "failed"
            default: job.isPaused ? "canary" : job.state.rawValue
            }
        let what = "job \(job.job), \(job.operation.rawValue) of \(job.update) \(job.version) on \(job.endpoint)"
        let since =
            switch job.state {
            case .waiting: job.waitingSince
            case .failed: job.finishedAt
            case .running: job.startedAt
            default: Timestamp?.some(job.createdAt)
            }
        // What a folder above says already is not said again.
        let isSaid = report.endpoints.contains { endpoint in
            endpoint.endpoint == job.endpoint
                && endpoint.folders.contains { folder in
                    folder.state.status == .failed && !folder.state.message.isEmpty
                        && job.message == "\(folder.state.folder): \(folder.state.message)"
                }
        }
        let message = job.state == .waiting ? "waits for \(job.waitingFor)" : isSaid ? "" : job.message
        let colour: Stream.Colour = job.state == .failed ? .red : job.state == .running ? .none : .yellow
        return item(
            word, what, since, LocalTime.localized(message, now: now), next: NextCommand.after(job), colour)
    }

    private func item(
        _ word: String, _ what: String, _ since: Timestamp?, _ reason: String, next: String?, _ colour: Stream.Colour
    ) -> [Line] {
        let time = since.map { ", since \(LocalTime.brief($0, now: now))" } ?? ""
        return paragraph("\(word): \(what)\(time)\(reason.isEmpty ? "" : ": \(reason)")", colour)
            + (next.map { paragraph("next: \($0)", colour, lead: "  ") } ?? [])
    }

    private func paragraph(_ text: String, _ colour: Stream.Colour, lead: String = "") -> [Line] {
        Folding.lines(Printable.cell(text), lead: lead, indent: lead + "  ", within: width)
            .map { Line(text: $0, colour: colour) }
    }

    /// What waits for a person comes first.
    private static func rank(_ job: Job) -> (Int, Int) {
        switch job.state {
        case .failed: (0, job.job)
        case .pendingApproval: (1, job.job)
        case .waiting: (job.isPaused ? 1 : 2, job.job)
        default: (3, job.job)
        }
    }
}
