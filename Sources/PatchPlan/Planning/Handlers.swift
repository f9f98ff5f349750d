import PatchModel

/// Which files an endpoint passes to a command instead of copying them (contract §4, §5 `handlers`).
struct Handlers {
    /// The longest ending first.
    private let handlers: [(ending: [UInt8], command: String)]

    /// - Parameter handlers: File extension, without the dot before it, to command.
    init(_ handlers: [String: String]) {
        self.handlers = handlers.map { (Array(".\($0.key)".utf8), $0.value) }
            .sorted { $0.ending.count > $1.ending.count }
    }

    /// The command for a file; nil where it is copied. Case counts, and of several extensions the longest wins. A name
    /// that consists of a dot and the extension has none.
    func command(for path: ExactText) -> String? {
        guard let name = path.components.last else { return nil }
        return handlers.first { name.count > $0.ending.count && name.suffix($0.ending.count).elementsEqual($0.ending) }?
            .command
    }
}
