/// The question that `patchctl compare-versions A OP B` asks.
public enum VersionRelation: String, CaseIterable, Sendable {
    case lt, le, eq, ne, ge, gt

    /// Reads an operator: `lt le eq ne ge gt`, or `< <= = >= >`, or dpkg's `<<` and `>>`. Nil for anything else.
    ///
    /// `<` and `>` mean what they say. (dpkg reads its obsolete `<` and `>` as "or equal", and warns of it.)
    public init?(_ text: String) {
        switch text {
        case "lt", "<", "<<": self = .lt
        case "le", "<=": self = .le
        case "eq", "=": self = .eq
        case "ne": self = .ne
        case "ge", ">=": self = .ge
        case "gt", ">", ">>": self = .gt
        default: return nil
        }
    }

    /// Whether the relation holds between two versions.
    public func holds(_ left: Version, _ right: Version) -> Bool {
        switch self {
        case .lt: left < right
        case .le: left <= right
        case .eq: left == right
        case .ne: left != right
        case .ge: left >= right
        case .gt: left > right
        }
    }
}
