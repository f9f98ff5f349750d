/// Puts the rows of one load into a table with few statements, with the same outcome as one by one.
protocol RowBulk: AnyObject {
    /// Takes the next row of the file.
    ///
    /// - Parameter key: its values of the key; empty where the load has none.
    func put(_ row: [String?], key: [String?]) throws(SQLError)

    /// Puts in what it still has.
    ///
    /// - Returns: what became of all rows.
    /// - Throws: with the code `sql` where one by one might have another outcome.
    func finish() throws(SQLError) -> RowCount
}

/// A session that can load rows in bulk.
protocol BulkSession: Session {
    /// What loads rows in bulk, within the open transaction; nil where the table or the session does not allow that.
    func bulk(_ writer: RowWriter) throws(SQLError) -> (any RowBulk)?
}
