import PatchModel

/// Who else uses the database.
extension MariaDBSession {
    func blockers() -> [Blocker] { blockers(nil) }

    /// Who was in the way of a statement that has just given up waiting.
    func blockers(_ words: MariaDBWords?) -> [Blocker] { observer.blockers(of: connection.id, words) }

    func others() -> [Blocker] { observer.others(than: connection.id) }

    func end(_ blocker: Blocker) throws(SQLError) -> Bool { blocker.session.map(observer.end) ?? false }
}
