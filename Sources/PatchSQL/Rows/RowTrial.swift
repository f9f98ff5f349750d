/// A place to try rows on that has a table's rules and none of its rows, apart from the database itself.
public protocol RowTrial: AnyObject {
    /// Makes the table empty for the next row.
    func start()

    /// Runs a statement of a load.
    ///
    /// - Returns: the rule that the row breaks; nil where it breaks none, or where only the database itself can decide.
    func problem(with statement: String, _ values: [String?]) -> String?
}
