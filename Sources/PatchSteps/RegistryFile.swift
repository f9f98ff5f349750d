import PatchFiles
import PatchModel

extension PlannedStep {
    /// The SHA-256 of what it brings. The plan is made without a hash, so that of a text in the plan is computed here.
    var sum: String { registry.map { SHA256.hash(of: Array($0.text.utf8)) } ?? sha256 }
}

extension WorkOrder {
    /// The SHA-256 that a folder's `registry.json` must have when a step of that kind is switched: it was made from that
    /// file, so whatever else is there now would be lost. Nil: none is there.
    func registryBefore(_ step: Int) -> String? {
        let before = plan.steps[..<step].last { $0.kind == .registry }
        return before?.sum ?? plan.steps[step].registry?.was
    }
}
