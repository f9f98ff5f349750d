import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Takes what is dropped, has it checked, and makes its jobs.
struct Intake: Sendable {
    let host: Host
    let jobs: JobTable

    /// Finishes what a crash left half taken.
    private func recover() async throws {
        let intake = try host.state.directory("intake")
        for id in try intake.names() {
            guard
                let bytes = try intake.readFile("\(id)/claim.json"),
                let claim = try? JSONText.read(Claim.self, bytes)
            else {
                // Without a claim the drop still lies where it was.
                try intake.removeTree(id)
                continue
            }
            try remove(claim)
            try await process(claim)
        }
    }

    /// Takes everything that is complete.
    ///
    /// - Parameter renamed: the names that came by a rename.
    /// - Returns: whether anything was taken, and after how many seconds to look again at what is not complete.
    func scan(renamed: Set<String>) async throws -> (taken: Bool, again: Double?) {
        try await recover()
        let incoming = try Directory.open(host.spool.incoming)
        var found: [DroppedFile] = []
        for name in try incoming.names() where DroppedFile.isCandidate(name) {
            if let status = try incoming.status(name) { found.append(DroppedFile(name: name, status: status)) }
        }
        var taken = false
        var again: Double?
        for file in found.sorted(by: { ($0.status.changed, $0.name) < ($1.status.changed, $1.name) }) {
            if file.name.utf8.count > DroppedFile.longestName {
                try rejectInPlace(
                    file.name,
                    Refusal(
                        .limitExceeded,
                        "a file's name has at most \(DroppedFile.longestName) bytes; give it a shorter one"))
                taken = true
                continue
            }
            switch try file.readiness(
                in: incoming, settle: host.configuration.daemon.settle,
                isWhole: host.once || renamed.contains(file.name))
            {
            case .growing(let seconds): again = min(again ?? seconds, seconds)
            case .notAFile:
                try rejectInPlace(
                    file.name, Refusal(.notAFile, "\"\(file.name)\" is no plain file; drop the archive itself"))
                taken = true
            case .complete:
                guard let claim = try take(file.name) else {
                    again = 1
                    continue
                }
                try await process(claim)
                taken = true
            }
        }
        return (taken, again)
    }

    private func rejectInPlace(_ name: String, _ refusal: Refusal) throws(FileError) {
        let isLong = name.utf8.count > DroppedFile.longestName
        let short = isLong ? String(decoding: name.utf8.prefix(64), as: UTF8.self) + ".zip" : name
        tell(refusal, short)
        let incoming = try Directory.open(host.spool.incoming)
        try host.spool.reject(short, sha256: "", refusal, options: nil) { (rejected, free) throws(FileError) in
            try incoming.rename(name, to: rejected, free)
        }
    }

    private func tell(_ refusal: Refusal, _ file: String) {
        host.log.tell(
            .archiveRefused, "\(file) is refused (\(refusal.code)): \(refusal)", EventFields(code: "\(refusal.code)"))
        host.failures.note()
        var notice = Notice(.refused)
        notice.update = file
        notice.code = refusal.code.rawValue
        notice.message = "\(refusal)"
        host.notices.add(notice)
    }

    /// Copies a drop while hashing it and removes it; nil when it changed meanwhile.
    private func take(_ name: String) throws -> Claim? {
        let incoming = try Directory.open(host.spool.incoming)
        let source = try incoming.file(name)
        let before = try source.status()
        guard before.kind == .file else { return nil }
        let id = String(UInt64.random(in: .min ... .max), radix: 16)
        let intake = try host.state.directory("intake")
        try intake.makeDirectory(id)
        let own = try intake.directory(id)
        let content = try own.ensureDirectory("content")
        let copy = try content.createFile("archive.zip")
        let sum = try source.copy(to: copy)
        try copy.sync()
        guard try source.status() == before else {
            try intake.removeTree(id)
            return nil
        }
        if let options = try incoming.readFile(name + ".json", limit: host.configuration.daemon.limits.manifest) {
            try own.replaceFile("options.json", with: options)
        }
        let claim = Claim(
            id: id, file: name, device: before.device, inode: before.inode, changed: before.changed,
            owner: before.uid, sha256: sum, at: .now)
        try content.sync()
        try own.replaceFile("claim.json", with: JSONText.page(claim))
        try intake.sync()
        try remove(claim)
        return claim
    }

    /// Removes the drop that a claim stands for, and no other that came under its name since.
    private func remove(_ claim: Claim) throws(FileError) {
        let incoming = try Directory.open(host.spool.incoming)
        let hidden = ".\(claim.file).\(claim.id)"
        if try incoming.status(hidden) == nil, let found = try incoming.status(claim.file),
            found.device == claim.device, found.inode == claim.inode
        {
            try incoming.rename(claim.file, to: incoming, hidden)
        }
        if let found = try incoming.status(hidden) {
            if found.device == claim.device, found.inode == claim.inode {
                for sidecar in [".json", ".sig"] { try incoming.remove(claim.file + sidecar) }
                try incoming.remove(hidden)
            } else {
                try incoming.renameNew(hidden, to: incoming, claim.file)
            }
        }
        try incoming.sync()
    }

    /// Has a taken archive checked and makes its jobs, or refuses it. Safe to repeat.
    private func process(_ claim: Claim) async throws {
        let own = try host.state.directory("intake/\(claim.id)")
        let optionBytes = try own.readFile("options.json")
        do {
            let options = try optionBytes.map { bytes throws(Refusal) in
                try UpdateOptions(strictJSON: bytes, file: claim.file + ".json")
            }
            try await accept(claim, options: options ?? UpdateOptions())
            audit(claim)
        } catch let refusal as Refusal {
            tell(refusal, claim.file)
            let archive = try own.file("content/archive.zip")
            try host.spool.reject(claim.file, sha256: claim.sha256, refusal, options: optionBytes, at: claim.at) {
                (rejected, free) throws(FileError) in
                let temporary = ".\(free).tmp"
                try rejected.remove(temporary)
                let copy = try rejected.createFile(temporary, mode: 0o640)
                _ = try archive.copy(to: copy)
                try copy.sync()
                try rejected.rename(temporary, to: rejected, free)
            }
        }
        try host.state.directory("intake").removeTree(claim.id)
    }

    /// Records who dropped what. A refused archive leaves nothing but what lies in `rejected/`.
    private func audit(_ claim: Claim) {
        guard let owner = claim.owner else { return }
        var record = AuditRecord(
            uid: owner, user: UserDatabase.name(of: owner) ?? "", request: claim.file, id: claim.id)
        record.at = claim.at
        record.command = "drop"
        record.sha256 = claim.sha256
        record.ok = true
        record.message = "taken"
        host.audit(record)
    }

    private func accept(_ claim: Claim, options: UpdateOptions) async throws {
        let update = try checked(claim)
        let endpoints = try OptionsCheck.endpoints(for: update.manifest, options: options, host.configuration)
        try keep(claim, update)
        for endpoint in endpoints {
            if let job = try await jobs.resumable(endpoint: endpoint.name, sha256: claim.sha256, options: options) {
                let fields = await jobs.job(job).map { EventFields($0) }
                host.log.tell(
                    .jobResumed, "job \(job) on \(endpoint.name) goes on: the same archive was dropped again",
                    fields ?? EventFields(job: job, endpoint: endpoint.name))
                _ = try await jobs.resume(job)
                continue
            }
            let job = try await jobs.create(
                endpoint: endpoint.name, manifest: update.manifest, sha256: claim.sha256, options: options,
                claim: claim.id)
            host.log.tell(
                .jobQueued,
                "job \(job): \(options.operation.rawValue) \(update.manifest.name) \(update.manifest.version) on \(endpoint.name), from \(claim.file)",
                EventFields(job: job, endpoint: endpoint.name, update: update.manifest.name))
        }
    }

    private func checked(_ claim: Claim) throws -> CheckedUpdate {
        if let kept = try host.state.contents(ofArchive: claim.sha256) { return kept }
        let own = try host.state.directory("intake/\(claim.id)")
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
                "limits.json", with: JSONText.line(host.configuration.daemon.limits), mode: 0o644)
            let problem = try host.workers.unpack(in: own.path, id: claim.id)
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
        try host.state.write(update, in: "intake/\(claim.id)/content")
        return update
    }

    /// An archive is stored once for all its jobs.
    private func keep(_ claim: Claim, _ update: CheckedUpdate) throws {
        let archives = try host.state.directory("archives")
        if try archives.status(claim.sha256) != nil { return }
        let own = try host.state.directory("intake/\(claim.id)")
        try own.directory("content").removeLeftovers()
        try own.directory("content").syncFileSystem()
        try own.renameNew("content", to: archives, claim.sha256)
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
