// timespec belongs to the C module that is loaded first.
import CLinux
import Glibc

/// The time that clock changes do not affect.
public enum MonotonicClock {
    /// Seconds since an arbitrary instant.
    public static var seconds: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Blocks the calling thread.
    public static func wait(seconds: Double) {
        let end = self.seconds + seconds
        while true {
            let left = end - self.seconds
            if left <= 0 { return }
            poll(nil, 0, Int32(min(left, 3600) * 1000) + 1)
        }
    }
}
