import PatchModel

/// Finds jobs without a look at all of them, of which there are ever more.
struct JobLookup: Sendable {
    private struct Endpoint: Sendable {
        /// Not at their end, by number.
        var open: [Int] = []
        /// Failed, and holding folders, by number.
        var holding: [Int] = []
        /// The last place in the order of those that have begun, and whose it is.
        var last: (order: Int, job: Int)?
        /// When the last test began.
        var testedAt: Timestamp?
    }

    private var endpoints: [String: Endpoint] = [:]
    private var requests: [String: Set<Int>] = [:]
    private var claims: [String: Set<Int>] = [:]

    /// A job was made or changed.
    mutating func note(_ job: Job, before: Job?) {
        let number = job.job
        var own = endpoints[job.endpoint] ?? Endpoint()
        own.open.set(number, job.state.isFinal == false)
        own.holding.set(number, job.state == .failed && job.isHolding)
        if job.startedAt != nil, own.last.map({ $0.job == number || job.order >= $0.order }) ?? true {
            own.last = (job.order, number)
        }
        if job.operation == .test, let began = job.startedAt { own.testedAt = max(own.testedAt ?? began, began) }
        endpoints[job.endpoint] = own
        if before?.request != job.request {
            if let old = before?.request { requests.take(number, from: old) }
            if let new = job.request { requests[new, default: []].insert(number) }
        }
        if before == nil, !job.claim.isEmpty { claims[job.claim, default: []].insert(number) }
    }

    /// A job is over for long: it is read when somebody asks for it.
    mutating func forget(_ job: Job) {
        if let request = job.request { requests.take(job.job, from: request) }
        claims.take(job.job, from: job.claim)
    }

    /// The jobs of an endpoint that are not at their end, oldest first.
    func open(of endpoint: String) -> [Int] { endpoints[endpoint]?.open ?? [] }

    /// The failed jobs of an endpoint that hold folders, oldest first.
    func holding(_ endpoint: String) -> [Int] { endpoints[endpoint]?.holding ?? [] }

    /// The last place that a job of an endpoint has in the order in which they began; 0 for none.
    func lastOrder(of endpoint: String) -> Int { endpoints[endpoint]?.last?.order ?? 0 }

    /// When an endpoint's last test began; nil for none.
    func testedAt(_ endpoint: String) -> Timestamp? { endpoints[endpoint]?.testedAt }

    /// The jobs that a request made or was carried out on last.
    func jobs(by request: String) -> [Int] { requests[request]?.sorted() ?? [] }

    /// The jobs that a drop made.
    func jobs(from claim: String) -> [Int] { claims[claim]?.sorted() ?? [] }
}

extension [Int] {
    /// Adds a number to sorted ones, or takes it away.
    fileprivate mutating func set(_ number: Int, _ isMember: Bool) {
        var (start, end) = (startIndex, endIndex)
        while start < end {
            let middle = (start + end) / 2
            if self[middle] < number { start = middle + 1 } else { end = middle }
        }
        let isThere = start < endIndex && self[start] == number
        if isMember, !isThere { insert(number, at: start) }
        if !isMember, isThere { remove(at: start) }
    }
}

extension [String: Set<Int>] {
    fileprivate mutating func take(_ number: Int, from key: String) {
        self[key]?.remove(number)
        if self[key]?.isEmpty == true { self[key] = nil }
    }
}
