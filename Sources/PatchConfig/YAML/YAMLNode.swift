/// A part of a YAML document. Scalars are always text: 8.10 is not 8.1, and `no` is no boolean.
struct YAMLNode {
    /// What a node is.
    enum Content {
        case text(String)
        case list([YAMLNode])
        case map([Entry])
        /// Content that is not accepted and was reported; later readers do not report it again.
        case broken
    }

    /// One line of a map; the order of the file is kept.
    struct Entry {
        let key: String
        let place: SourceLocation
        let value: YAMLNode
    }

    let content: Content
    let place: SourceLocation

    /// The word for it in messages.
    var kind: String {
        switch content {
        case .text(let text): text.isEmpty ? "nothing" : "\"\(text)\""
        case .list: "a list"
        case .map: "a map"
        case .broken: "something else"
        }
    }
}
