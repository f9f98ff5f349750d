import PatchModel

/// Jobs as the lines of a table.
enum JobTable {
    static let head = ["JOB", "ENDPOINT", "OPERATION", "UPDATE", "VERSION", "STATE", "CREATED", "MESSAGE"]

    static func row(_ job: Job) -> Table.Row {
        Table.Row(
            [
                "\(job.job)", job.endpoint, job.operation.rawValue, job.update, job.version.description,
                job.state.rawValue, LocalTime.text(job.createdAt), LocalTime.localized(message(job), now: .now),
            ], below: job.state == .running ? [] : NextCommand.after(job).map { ["next: \($0)"] } ?? [])
    }

    private static func message(_ job: Job) -> String {
        guard job.state == .waiting else { return job.message }
        return "waits\(job.waitingSince.map { " since \(LocalTime.text($0))" } ?? "") for \(job.waitingFor)"
    }
}
