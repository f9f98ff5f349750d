extension SQLDialect {
    /// MariaDB without `NO_BACKSLASH_ESCAPES`.
    public static let mariadb = SQLDialect(
        extraQuotes: [UInt8(ascii: "`")], hasBackslashes: true, hasHashComments: true, compound: .delimiterCommand,
        nameQuote: "`")
}
