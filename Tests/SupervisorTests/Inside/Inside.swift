import Testing

/// The daemon's inside in this process, on fakes of all that is outside. One test at a time: each has the threads for
/// itself, and they take milliseconds.
@Suite(.serialized) enum Inside {}
