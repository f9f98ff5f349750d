import Logging
import PatchModel

/// What the daemon tells. Each has an id of its own, so that `journalctl MESSAGE_ID=…` finds it, and an entry in
/// `share/catalog/patchd.catalog`, which `journalctl -x` shows.
enum Event: String, CaseIterable, Sendable {
    case ready = "47eaa0992cb6416d86dc283cf0480ff9"
    case reloaded = "f5ec52ed0108447592e1bc7656670b14"
    case configurationDeferred = "a1c45e0b6d7f4d0e9a35b7c20f4e8d16"
    case folderMoved = "6e0b9f3d27c84a51b8d4f1907ac25e3b"
    case configurationRefused = "59ba1b0d5c904158a909406c2e416788"
    case unitsStayDown = "627bf3225fac4cb6a34acb115ee347dd"
    case anotherDaemon = "8a9e1df7e771476ead783715ee6f7a8f"
    case cannotGoOn = "9e180bf5c37e41e2a9fa541c228a3129"
    case archiveRefused = "5d32fe61985f44e7aa095ee82bb29976"
    case request = "79ded9f207d3436c905bdd8f4ed3d99e"
    case jobQueued = "9a1e40b458154a9999e2d15364c7a500"
    case jobResumed = "68b4aef73eaa4e179d8a4eace693ae2d"
    case jobWaiting = "142c83647806457793e783e7eb04b39b"
    case jobPaused = "4c9e27d1a06b4f3e8b52d7f0139ac684"
    case holdIgnored = "e9d8aebe11574d78bb4e7e26f9e51a0e"
    case strangerInside = "86d68aff93f94255929d5173c3ae85f9"
    case holdEnded = "b7ae5b3c441f475ba5afd5b6715f5df2"
    case jobPendingApproval = "a5d0c2f1b8e34cfa9f7d31c64be2870a"
    case jobApproved = "5b1f70c9a2d84e6db6e3f0c815d7942e"
    case jobDeclined = "c7e25a90d13f4b0e8a6471fbd29c03e8"
    case updateMarked = "f83b6de41a0c4975b25cd8e7093fa16d"
    case auditDamaged = "2d94ee07c5b14af3873f6ab01ce95d72"
    case notifyFailed = "9c02b7d85f6e4e18a1d33ef6720c48b5"
    case jobStarted = "3b041641178844f2a60df25453fe2e85"
    case jobDone = "64e752cc93a948b681f72b0a43c20f56"
    case jobFailed = "bbb3a32acf00477cba674d0a5fd11a32"
    case announced = "00a154d85ed84bccb5c719c2add9ca88"
    case disconnected = "c0290103855d4f5599ec8712e8e3574f"
    case unitStopped = "6e704245a4ff41e3a7949b80dcb0b82e"
    case unitNotStopped = "4350cc1721e54f21acd552a09ddbef12"
    case unitStopping = "b1d7e0c35a7d4f0e9c6b8a52f3e91d74"
    case unitStarted = "de1b1471320a48eab7a788d106762832"
    case unitNotUp = "9ed89eddd6844325b600e6129ec04ece"
    case unitNotGuarded = "2e460a9618944a2399855162fd0b00ea"
    case maintenanceNotUp = "a930d55d954540f3ae889fe46f2c7a8c"
    case command = "43f2f1936e854f08b5927b0fe339d309"
    case folderUpdating = "e07cb5793e7f497bbcc1c0c8b0cdf20a"
    case folderDone = "78f6d82486ea4214b5c34e7e77ca4499"
    case folderReverting = "6c0d7b6f0b8e4c0aa3e5a1d8f4c2b7e9"
    case folderReverted = "b2f15c3de8704d5f9a6c7e1d20938f4b"
    case jobDamaged = "e8131d112ed94b3689660614fa924d18"
    case jobCancelled = "f04e8a6c917b4f5db3d2c8a5e6170b9d"
    case forgotten = "3d9a5e7f12c84b60a8f4e6b7c5d0192a"
    case folderFailed = "1dcd327f761e47cbbb7e8913655c1d15"
    case folderBlocked = "9672be1a7fed4bb9a92fa271dbc52933"
    case hookFailed = "0321db69e7f14692966e259579ec8bae"
    case folderLocked = "d6f3f9a04d0e4b61a0a5a6a3f2b8c0de"
    case folderUnlocked = "c44a66f4cf2543469cbe4f50bdbcda98"
    case cannotUnlock = "1e2ed6cb64704f1f934b8db4b18fbdb1"
    case lockRestored = "4f859933fdf0445f97e485b6761978dd"
    case sessionEnded = "0f7c52d8a9e34b1b8d6e2f4a7c90b315"
    case workerEnded = "310a853eec9a42f28ea9877af376bc25"
    case stepDone = "2bf26312aef1460c9a73ab1ca7305b7d"
    case databaseNotShown = "022db39f9211455e99f319186fab2036"
    case notForgotten = "01c92d7f933b469eb0774372b5455526"
    case marksDamaged = "ab771ba41b024560a65678437e59a0bb"
    case answerNotGiven = "b9650d2ad20d47eabe5201e632b591b8"
    case notWatched = "42fc7f7955ce4c5180978a1c9d82683e"
    case busReached = "0d9f3a61c7be4f25a8d40e6b91c72f58"
    case busUnreachable = "e52b8c07d1a94b6f93fe2a70d86c14b9"

    /// How urgent it is, in syslog's words.
    var level: Logger.Level {
        switch self {
        case .cannotGoOn, .jobDamaged: .critical
        case .configurationRefused, .unitsStayDown, .anotherDaemon, .archiveRefused, .jobFailed, .unitNotStopped,
            .unitNotUp, .folderFailed, .cannotUnlock:
            .error
        case .configurationDeferred, .unitStopping, .holdIgnored, .strangerInside, .auditDamaged, .notifyFailed,
            .unitNotGuarded,
            .maintenanceNotUp,
            .hookFailed, .folderBlocked,
            .lockRestored, .sessionEnded,
            .workerEnded, .databaseNotShown, .notForgotten, .marksDamaged, .answerNotGiven,
            .notWatched:
            .warning
        case .folderMoved, .jobPendingApproval, .jobApproved, .jobDeclined, .updateMarked, .ready, .reloaded, .request,
            .jobQueued,
            .jobResumed, .jobWaiting, .jobPaused, .jobStarted, .jobDone, .announced,
            .disconnected, .busUnreachable, .folderDone, .folderReverting, .folderReverted, .jobCancelled,
            .folderUpdating:
            .notice
        case .busReached, .holdEnded, .unitStopped, .unitStarted, .command, .forgotten, .folderLocked, .folderUnlocked,
            .stepDone:
            .info
        }
    }
}

/// The fields of a message in the journal: `PATCHD_JOB`, `PATCHD_FOLDER` and so on (contract §10).
struct EventFields: Sendable {
    var job: Int?
    var endpoint = ""
    var folder = ""
    /// All that it is about, where that is not one: each finds the message.
    var folders: [String] = []
    var update = ""
    var step = ""
    var code = ""
    var unit = ""

    var metadata: Logger.Metadata {
        var fields: Logger.Metadata = [:]
        if let job { fields["job"] = "\(job)" }
        for (key, value) in [
            ("endpoint", endpoint), ("folder", folder), ("update", update), ("step", step), ("code", code),
            ("unit", unit),
        ] where !value.isEmpty {
            fields[key] = "\(value)"
        }
        if folder.isEmpty, !folders.isEmpty { fields["folder"] = .array(folders.sorted().map { "\($0)" }) }
        return fields
    }
}

extension EventFields {
    /// Of a message about a job as a whole: it belongs to the story of each folder that the job does not leave out.
    init(_ job: Job) {
        self.init(
            job: job.job, endpoint: job.endpoint,
            folders: job.folders.filter { $0.value.state != .excluded }.map(\.key), update: job.update)
    }
}

extension Logger {
    /// Tells an event: a sentence for people, and the fields by which it is found.
    func log(_ event: Event, _ text: String, _ fields: EventFields = EventFields()) {
        var metadata = fields.metadata
        metadata["message-id"] = "\(event.rawValue)"
        log(level: event.level, "\(text)", metadata: metadata)
    }
}
