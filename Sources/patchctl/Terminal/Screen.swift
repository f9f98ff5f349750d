import Glibc

/// The terminal that standard output leads to, if it does.
enum Screen {
    /// Colour, progress and cursor movement are for terminals that want them.
    static let mayDraw =
        isTerminal && getenv("NO_COLOR") == nil
        && (getenv("TERM").map { String(cString: $0) } ?? "dumb") != "dumb"

    /// Whether standard output is a terminal.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Its size; nil where there is none, or where it does not know how wide it is.
    static var size: (rows: Int, columns: Int)? {
        var size = winsize()
        guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return nil }
        return (size.ws_row > 1 ? Int(size.ws_row) : 24, Int(size.ws_col))
    }
}
