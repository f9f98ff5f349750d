import ArgumentParser

/// A length of time as on the command line: `30s`, `5m`, `1h`, or seconds.
struct Length: ExpressibleByArgument {
    let seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let factors = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1]
        let unit = String(argument.reversed().prefix { $0.isLetter }.reversed())
        guard let factor = factors[unit], let number = Double(argument.dropLast(unit.count)), number.isFinite,
            number >= 0
        else { return nil }
        seconds = number * factor
    }

    var defaultValueDescription: String { "\(Int(seconds))s" }
}
