import PatchModel

/// The codes of answers that say no.
enum AnswerCode {
    /// The exit code for one.
    static func status(of code: String) -> ExitStatus {
        switch code {
        case "requestInvalid": .usage
        case "notPermitted", "archiveDiffers", RefusalCode.optionsInvalid.rawValue: .refused
        // unknownJob, wrongState, and the faults of what was asked for.
        default: .failed
        }
    }
}
