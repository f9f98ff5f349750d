extension SQLDialect {
    /// Firebird in its dialect 3, with isql's `SET TERM`.
    public static let firebird = SQLDialect(
        hasQTexts: true, compound: .setTerm, exactness: .bytes, rowLimit: "ROWS", hasTemporaryCopies: false,
        own: OwnTableForm(
            create: "CREATE TABLE",
            // A key has at most a quarter of a page: a byte a character, whatever characters the bytes are.
            nameSuffix: " CHARACTER SET NONE", text: "varchar(4000) CHARACTER SET UTF8", at: "\"AT\""))
}
