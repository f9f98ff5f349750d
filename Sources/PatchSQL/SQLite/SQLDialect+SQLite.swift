extension SQLDialect {
    /// SQLite 3.
    public static let sqlite = SQLDialect(
        extraQuotes: [UInt8(ascii: "`")], hasBrackets: true, compound: .triggers,
        exactness: .around(suffix: " COLLATE BINARY"))
}
