extension SQLDialect {
    /// PostgreSQL with `standard_conforming_strings`, as it is since 9.1.
    public static let postgresql = SQLDialect(hasDollarQuotes: true, hasNestedComments: true, compound: .atomicBodies)
}
