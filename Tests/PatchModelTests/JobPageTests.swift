import PatchJSON
import Testing

@testable import PatchModel

@Suite struct `The page of a job` {
    private func job(_ folders: [String: FolderJob]) throws -> Job {
        var job = Job(
            job: 7, endpoint: "payroll", update: "X", version: try #require(Version("8.0.2")), sha256: "s",
            options: UpdateOptions(), claim: "", createdAt: .now)
        job.folders = folders
        // What looks like the key that is searched for.
        job.message = "\n  \"folders\" : {}"
        return job
    }

    @Test func `is what it would be if all of it were made anew, whatever changed since the last one`() throws {
        var page = JobPage()
        var folders: [String: FolderJob] = [:]
        let first = try job(folders)
        #expect(try page.text(of: first) == JSONText.page(first))
        for number in 0..<12 {
            folders["F\(number)"] = FolderJob(state: .pending, progress: .init(total: 3))
            let job = try job(folders)
            #expect(try JSONText.read(Job.self, page.text(of: job)) == job)
        }
        for state in FolderJob.State.allCases {
            folders["F3"]?.state = state
            folders["F4"]?.message = "\"\(state)\"\n}, \\"
            let job = try job(folders)
            #expect(try page.text(of: job) == JSONText.page(job))
            #expect(try JSONText.read(Job.self, page.text(of: job)) == job)
        }
        folders["F3"] = nil
        folders["G"] = FolderJob(state: .done, progress: .init(total: 1))
        let last = try job(folders)
        #expect(try JSONText.read(Job.self, page.text(of: last)) == last)
    }
}
