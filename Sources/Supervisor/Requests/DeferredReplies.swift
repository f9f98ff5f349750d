import Synchronization

/// What a request has ordered, which is carried out beside the loop.
protocol DeferredOrder: Sendable {
    /// Which request it is.
    var request: String { get }
}

/// Orders of requests that are carried out beside the loop, because workers are started for them: nobody else is to wait for
/// those. The request stays where it is until it is answered; after a crash it is carried out again.
final class DeferredReplies<Order: DeferredOrder, Value: Sendable>: Sendable {
    private enum Progress: Sendable {
        case asked(Order)
        case running
        case ended(Result<Value, any Error>)
    }

    private let orders = Mutex<[String: Progress]>([:])

    /// What came of a request's order; nil: nothing yet, and it is to be carried out.
    func value(of order: Order) throws -> Value? {
        let ended = orders.withLock { orders -> Result<Value, any Error>? in
            if case .ended(let result) = orders[order.request] { return result }
            if orders[order.request] == nil { orders[order.request] = .asked(order) }
            return nil
        }
        return try ended?.get()
    }

    /// The requests that have ordered something.
    var requests: [String] { orders.withLock { Array($0.keys) } }

    /// Forgets a request that was withdrawn or answered.
    func forget(_ request: String) { orders.withLock { $0[request] = nil } }

    /// Orders that nobody carries out yet.
    var asked: [Order] {
        orders.withLock { orders in
            orders.values.compactMap { progress in if case .asked(let order) = progress { order } else { nil } }
        }
    }

    /// Whether nothing is to be carried out or answered.
    var isEmpty: Bool { orders.withLock(\.isEmpty) }

    func begin(_ order: Order) { orders.withLock { $0[order.request] = .running } }

    /// - Parameter result: dropped when its request is gone.
    func end(_ order: Order, _ result: Result<Value, any Error>) {
        orders.withLock { orders in
            if orders[order.request] != nil { orders[order.request] = .ended(result) }
        }
    }
}

/// A command that is carried out beside the loop.
struct DeferredCommand: DeferredOrder {
    var request: String
    var work: @concurrent @Sendable () async throws -> Answer
}

typealias DeferredAnswers = DeferredReplies<DeferredCommand, Answer>
typealias OptionPlans = DeferredReplies<OptionOrder, PlannedOptions>
