import ArgumentParser
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

struct CheckUpdates: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-updates",
        abstract: "Show the updates that the sources of this host offer and that are new here.",
        discussion: """
            Reads the indexes that "sources" in patchd.yaml names. With --download the updates are fetched and dropped into \
            the spool. Exits 3 where nothing is new, 4 where an index or an archive is refused, 1 where a source does not \
            answer; the other sources count all the same.
            """)

    @Flag(help: "Fetch them, and drop them into the spool.")
    var download = false

    @Flag(help: "Fetch those of the sources that say \"download: true\", as patchd-check.timer does.")
    var unattended = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let store = try SourceStore.open(directories)
        guard directories.canReadConfiguration else {
            throw Failure(
                .refused,
                "\(UserName.own) may not read all of \(directories.configDir): give its files to group patchd: chgrp -R patchd \(directories.configDir); chmod -R g+rX \(directories.configDir)"
            )
        }
        let configuration = try directories.configuration()
        let sources = configuration.daemon.sources
        if sources.isEmpty { Notes.line("patchd.yaml names no \"sources\" of updates") }
        let reading = IndexReading(
            curl: try Curl(), look: SignatureLook(configuration, in: directories), store: store)
        let isFetching = download || unattended && sources.contains(where: \.download)
        if isFetching, store?.isBusy == true {
            throw Failure(.waiting, "another check-updates is fetching; wait for it: systemctl status patchd-check")
        }
        if isFetching, store?.mayWrite != true {
            throw Failure(
                "this user may not keep what is fetched in \(directories.stateDir)/sources; try it as root, or \"systemctl start patchd-check\""
            )
        }
        var worst = ExitStatus.fine
        func note(_ error: any Error, _ what: String) {
            let failure = Self.failure(error, what)
            Notes.error(failure.message)
            // A refusal needs an admin; a server that is not there may be back tomorrow.
            if worst != .refused { worst = failure.status }
        }

        var rule = try reach(configuration, handedOver: store?.handedOver() ?? [])
        var found: [(source: UpdateSource, offer: Offer)] = []
        for source in sources {
            do {
                let index = try reading.read(source)
                for offer in rule.offers(among: fitting(index, limits: configuration.daemon.limits)) {
                    found.append((source, offer))
                    // Two sources may have the same.
                    rule.known.insert(offer.update.sha256)
                }
            } catch {
                note(error, "")
            }
        }
        if isFetching, worst == .fine { try store?.removeParts(except: found.map(\.offer.update)) }
        var report = OfferReport()
        for (source, offer) in found {
            var update = OfferReport.Update(offer, from: source)
            if let store, download || unattended && source.download {
                do {
                    update.file = try Handover(directories: directories, reading: reading, store: store).run(
                        offer.update)
                } catch {
                    note(error, "\(update.name) \(update.version): ")
                }
            }
            report.updates.append(update)
        }
        try report.print(json: json)
        if worst != .fine { throw worst.exit }
        if found.isEmpty { throw ExitStatus.nothingToDo.exit }
    }

    private static func failure(_ error: any Error, _ what: String) -> Failure {
        switch error {
        case let failure as Failure: Failure(failure.status, what + failure.message)
        case let refusal as Refusal: Failure(.refused, "\(what)refused: \(refusal.code.rawValue): \(refusal)")
        default: Failure("\(what)\(error)")
        }
    }

    /// Those that this host would take.
    private func fitting(_ index: UpdateIndex, limits: Limits) -> [IndexedUpdate] {
        index.updates.filter { update in
            let fits = update.size <= limits.archive
            if !fits {
                Notes.line(
                    "\(update.name) \(update.version) is left out: it has \(update.size) bytes, and no archive within "
                        + "this host's limits has more than \(limits.archive)")
            }
            return fits
        }
    }

    /// What this host has.
    private func reach(_ configuration: Configuration, handedOver: Set<String>) throws -> OfferRule {
        try directories.reading {
            let jobs = try directories.readableJobs()
            var versions: [String: [String: Version]] = [:]
            for endpoint in configuration.endpoints {
                let states = try directories.hasState ? try directories.state.folders(of: endpoint.name) : [:]
                for folder in endpoint.folders {
                    versions[endpoint.name, default: [:]][folder.name] = states[folder.name]?.version ?? folder.version
                }
            }
            let open = jobs.filter { !$0.state.isFinal && $0.operation == .apply }
            return OfferRule(
                endpoints: configuration.endpoints, versions: versions,
                coming: Dictionary(grouping: open, by: \.endpoint).mapValues { $0.map(\.version) },
                known: handedOver.union(jobs.map(\.sha256)).union(KeptArchives(directories).names),
                unstable: try directories.hasState ? try directories.state.unstable() : UnstableUpdates())
        }
    }
}
