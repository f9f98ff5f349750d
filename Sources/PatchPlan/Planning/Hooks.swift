import PatchModel

extension FolderPlan {
    /// Puts the endpoint's hooks around the steps. They are part of the plan, so that a job continues with the hooks
    /// with which it began, whatever the configuration says by then.
    mutating func surround(with hooks: Endpoint.Hooks) {
        func step(_ hook: Hook, _ command: String) -> [PlannedStep] {
            command.isEmpty
                ? [] : [PlannedStep(kind: .hook, path: hook.rawValue, patch: "", source: "", command: command)]
        }
        steps = step(.before, hooks.before) + steps + step(.validate, hooks.validate) + step(.after, hooks.after)
    }
}
