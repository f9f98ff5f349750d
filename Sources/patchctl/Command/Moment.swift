import ArgumentParser
import PatchModel

/// A time, given as such or as a length from now on.
struct Moment: ExpressibleByArgument {
    let time: Timestamp

    init?(argument: String) {
        if let time = Timestamp(argument) {
            self.time = time
        } else if let length = Length(argument: argument) {
            time = Timestamp.now.adding(seconds: length.seconds)
        } else {
            return nil
        }
    }
}
