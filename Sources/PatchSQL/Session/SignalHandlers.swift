import Glibc

/// What this process does on some signals, to be brought back after a library was called that changes it.
struct SignalHandlers {
    private let saved: [(number: Int32, action: sigaction)]

    /// Notes what is done now.
    init(_ numbers: [Int32]) {
        saved = numbers.map { number in
            var action = sigaction()
            sigaction(number, nil, &action)
            return (number, action)
        }
    }

    /// Brings it back.
    func restore() {
        for (number, action) in saved {
            var action = action
            sigaction(number, &action, nil)
        }
    }
}
