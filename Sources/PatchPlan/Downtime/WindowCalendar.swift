public import PatchModel

/// When an endpoint's windows are open, from values alone. Local time is what the clock shows: an hour that is left out
/// in spring opens nothing, and one that comes twice in autumn counts twice.
public struct WindowCalendar {
    private let windows: [UpdateWindow]
    private let offset: (Int) -> Int

    /// - Parameters:
    ///   - windows: none: always open.
    ///   - offset: for seconds since 1970, by how many seconds local time is ahead of UTC then.
    public init(_ windows: [UpdateWindow], offset: @escaping (_ second: Int) -> Int) {
        self.windows = windows
        self.offset = offset
    }

    /// Whether one of them is open.
    ///
    /// - Parameter second: since 1970.
    public func isOpen(at second: Int) -> Bool {
        windows.isEmpty || window(openAt: second + offset(second)) != nil
    }

    /// The next full minute at which one of them is open, and which; nil where there is none within fifteen days. Each
    /// week has all days, but a window may be in an hour that is left out.
    ///
    /// - Parameter second: since 1970.
    public func nextOpening(after second: Int) -> (second: Int, window: UpdateWindow)? {
        var next = second + secondsToMinute(at: second)
        let end = second + 15 * 86400
        var ahead = offset(next)
        while next <= end {
            if let window = window(openAt: next + ahead) { return (next, window) }
            let quarter = next / 900
            next += 60
            // Zones change their offset at a quarter of an hour.
            if next / 900 != quarter { ahead = offset(next) }
        }
        return nil
    }

    /// Seconds to the next full minute, at which windows open.
    public func secondsToMinute(at second: Int) -> Int { 60 - Self.remainder(second + offset(second), 60) }

    private func window(openAt local: Int) -> UpdateWindow? {
        let inDay = Self.remainder(local, 86400)
        // 1970 began on a Thursday.
        let day = Self.remainder((local - inDay) / 86400 + 3, 7)
        return windows.first { $0.isOpen(day: day, minute: inDay / 60) }
    }

    private static func remainder(_ number: Int, _ divisor: Int) -> Int {
        let rest = number % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
