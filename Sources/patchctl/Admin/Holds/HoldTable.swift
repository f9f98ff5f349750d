import PatchModel

/// Holds as the lines of a table.
enum HoldTable {
    static let head = ["HELD", "BY", "SINCE", "UNTIL", "REASON"]

    static func row(_ hold: StandingHold, doubt: String = "") -> Table.Row {
        let end = hold.until.map { LocalTime.text($0) } ?? hold.pid.map { "process \($0) ends" } ?? "unhold"
        return Table.Row(
            [hold.target, hold.owner, LocalTime.text(hold.since), end, hold.reason],
            below: doubt.isEmpty ? [] : [doubt])
    }
}
