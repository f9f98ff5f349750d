import PatchPlan
import Testing

@testable import PatchModel

@Suite struct `The line of systemctl status` {
    private func job(
        _ number: Int, _ state: Job.State, on endpoint: String = "payroll", _ folders: [String: FolderJob.State] = [:],
        finished: Double? = nil
    ) throws -> Job {
        var job = Job(
            job: number, endpoint: endpoint, update: "X3V8_P2", version: try #require(Version("8.0.2")), sha256: "",
            options: UpdateOptions(operation: .apply), claim: "", createdAt: .now)
        job.state = state
        job.folders = folders.mapValues { FolderJob(state: $0, progress: .init(total: 1)) }
        job.finishedAt = finished.map { Timestamp(nanoseconds: 0).adding(seconds: $0) }
        return job
    }

    @Test func `is idle only while nothing is wrong or under way`() throws {
        #expect(StatusLine(jobs: []).text == "idle")
        #expect(StatusLine(jobs: [try job(1, .done, finished: 1)]).text == "idle")
        #expect(StatusLine(jobs: [try job(1, .failed, finished: 1)]).text == "1 job failed (1)")
        #expect(StatusLine(jobs: [], unitsDown: ["web.service"]).text == "1 unit down (web.service)")
        #expect(StatusLine(jobs: [], isRefused: true).text == "configuration refused")
    }

    @Test func `names what needs a person first`() throws {
        let jobs = [
            try job(24, .failed, ["PAIE": .done, "SEED": .failed, "SEED2": .blocked], finished: 1),
            try job(25, .running, on: "stock", ["ONE": .done, "TWO": .running, "OLD": .excluded]),
            try job(26, .waiting), try job(27, .queued), try job(28, .pendingApproval),
        ]
        #expect(
            StatusLine(jobs: jobs, unitsDown: ["b.service", "a.service"], isRefused: true).text
                == "configuration refused, 1 job failed (24), 2 folders locked, 2 units down (a.service, b.service), "
                + "1 job waits for approval (28), job 25 on stock: X3V8_P2 8.0.2 running 1/2, 1 job waiting (26), "
                + "1 job queued (27)")
    }

    @Test func `counts a pause that only an approver ends among what waits for approval`() throws {
        var jobs = [try job(1, .waiting), try job(2, .waiting, on: "stock")]
        for index in jobs.indices {
            jobs[index].canary = JobCanary(CanaryPlan(canaries: ["SEED"], folders: ["SEED"], pause: .approval))
            jobs[index].canary?.stage = .paused
        }
        jobs[1].canary?.until = .now
        #expect(StatusLine(jobs: jobs).text == "1 job waits for approval (1), 1 job waiting (2)")
    }

    @Test func `forgets a failure after a later success, but not one that holds folders`() throws {
        let success = try job(2, .done, finished: 2)
        #expect(StatusLine(jobs: [try job(1, .failed, finished: 1), success]).text == "idle")
        #expect(StatusLine(jobs: [try job(1, .failed, finished: 3), success]).text == "1 job failed (1)")
        #expect(
            StatusLine(jobs: [try job(1, .failed, on: "stock", finished: 1), success]).text == "1 job failed (1)")
        #expect(
            StatusLine(jobs: [try job(1, .failed, ["SEED": .failed], finished: 1), success]).text
                == "1 job failed (1), 1 folder locked")
    }

    @Test func `stays one line of 256 bytes, whatever there is`() throws {
        var jobs = try (1...150).map { try job($0, .waiting) }
        #expect(StatusLine(jobs: jobs).text == "150 jobs waiting (1, 2, 3, 4, 5 and 145 more)")
        jobs += try (151...400).map { try job($0, .running, on: "e\($0)") }
        let names = (1...100).map { "ünit-\($0)-\(String(repeating: "ü", count: 60)).service" }
        let text = StatusLine(jobs: jobs, unitsDown: names).text
        #expect(text.utf8.count <= StatusLine.limit && text.utf8.count > StatusLine.limit - 4 && text.hasSuffix("…"))
        #expect(text.hasPrefix("100 units down (") && !text.contains("\n"))
    }
}

@Suite struct `A unit that takes long to stop` {
    @Test func `is told soon, then ever more seldom, in words that stay the same`() {
        var patience = StopPatience(since: .now, at: 100)
        let told = stride(from: 100.0, through: 500, by: 1).compactMap { patience.due(at: $0) }
        #expect(told == [5, 10, 20, 40, 80, 160, 320])
        #expect(patience.wasTold)
        let text = patience.message(["hang.service"], job: 7)
        #expect(text.contains("hang.service") && text.contains("since 2") && text.contains("patchctl cancel 7"))
        var quick = StopPatience(since: .now, at: 100)
        #expect(quick.due(at: 104.9) == nil && !quick.wasTold)
    }
}

@Suite struct `A process that has a database in use` {
    private func end(_ unit: String?, isMain: Bool = false, isWorker: Bool = false, own: Set<String> = []) -> SessionEnd
    {
        .of(unit: unit, isMain: isMain, isWorker: isWorker, own: own)
    }

    @Test(arguments: [
        "cron.service", "crond.service", "atd.service", "ssh.service", "ssh@7-1.service", "sshd.service",
        "dbus.service", "dbus-broker.service", "user@1000.service", "session-3.scope", "docker-0af.scope",
        "docker.service", "containerd.service", "systemd-machined.service", "getty@tty1.service", "init.scope",
    ])
    func `is ended alone where its unit runs programs of others, even where "stop" names that`(unit: String) {
        #expect(end(unit) == .endProcess)
        #expect(end(unit, own: [unit]) == .endProcess)
        #expect(end(unit, isMain: true, own: [unit]) == .leave)
    }

    @Test func `is ended with its unit where that is the folder's own, or nothing without it`() {
        #expect(end("app@SEED.service", own: ["app@SEED.service"]) == .stopUnit("app@SEED.service"))
        #expect(end("web.service", isMain: true) == .stopUnit("web.service"))
        #expect(end("web.service") == .endProcess, "another process of a unit that nobody named")
        #expect(end(nil) == .endProcess)
    }

    @Test func `is left alone where it is patchd's own, but not what a script has left behind`() {
        #expect(end("patchd.service", isMain: true) == .leave)
        #expect(end("patchd-job-1-payroll-SEED.service", isMain: true, isWorker: true) == .leave)
        #expect(end("patchd-job-1-payroll-SEED.service", isWorker: true) == .leave)
        #expect(end("patchd-job-1-payroll-SEED.service") == .endProcess)
        #expect(end(nil, isWorker: true) == .leave)
    }
}
