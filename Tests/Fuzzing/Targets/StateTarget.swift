import PatchJSON
import PatchModel

@testable import Supervisor

/// Each file of the state directory that is JSON, after an accident of any kind: it is read, or it is damaged; what is read is
/// written so that the same is read again.
enum StateTarget {
    static func run(_ bytes: [UInt8]) throws {
        try check(JobIndex.self, bytes)
        try check(Job.self, bytes)
        try check(FolderState.self, bytes)
        try check(HistoryEntry.self, bytes)
        try check(UpdateLock.self, bytes)
        try check(QuiescedUnits.self, bytes)
        try check(UnstableUpdates.self, bytes)
        try check(AuditRecord.self, bytes)
        try check(PlanOverview.self, bytes)
        try check(PlanReport.self, bytes)
        try check(ConfigurationAnswer.self, bytes)
        try check(Endpoint.self, bytes)
        try check(IntakeClaim.self, bytes)
        try check(CheckedUpdate.self, bytes)
        _ = try? JSONText.read(UnpackVerdict.self, bytes)
        _ = try? JSONText.read(SignatureVerdict.self, bytes)
    }

    private static func check<Value: Codable & Equatable>(_ type: Value.Type, _ bytes: [UInt8]) throws {
        guard let value = try? JSONText.read(type, bytes) else { return }
        let again = try? JSONText.read(type, JSONText.line(value))
        try hold(again == value, "\(type) is not read again as it was written")
    }
}
